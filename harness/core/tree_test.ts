import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { flatten, mapTree, unflatten } from "./tree.ts";

const tree = () => ({
  decoder: { 0: { weight: tf.scalar(1), bias: tf.scalar(2) }, 1: { weight: tf.scalar(3) } },
  logSigma: tf.scalar(4),
  adam: undefined,
});

Deno.test("flatten() joins names by slashes, in order, and omits undefined entries", () => {
  assert.deepEqual(Object.keys(flatten(tree())), [
    "decoder/0/weight",
    "decoder/0/bias",
    "decoder/1/weight",
    "logSigma",
  ]);
});

Deno.test("unflatten() is the inverse of flatten(), for any depth and order of paths", () => {
  const t = tree();
  const { adam: _, ...whole } = t;
  assert.deepEqual(unflatten(flatten(t)), whole);
  const [a, b, c] = [1, 2, 3].map((v) => tf.scalar(v));
  assert.deepEqual(unflatten({ "x/a": a, y: b, "x/b": c }), { x: { a, b: c }, y: b });
});

Deno.test("mapTree() keeps the shape, and passes the path and the tensors at the same path", () => {
  const t = tree();
  const paths: string[] = [];
  const sums = mapTree(t, ([a, b], path) => {
    paths.push(path);
    return tf.add(a, b);
  }, t);
  assert.deepEqual(paths, Object.keys(flatten(t)));
  assert.equal(sums.decoder[1].weight.dataSync()[0], 6);
  assert.equal(sums.adam, undefined);
});

Deno.test("mapTree() names the path at which trees differ", () => {
  const other = { decoder: { 0: { weight: tf.scalar(1) } }, logSigma: tf.scalar(0) };
  assert.throws(
    () => mapTree(tree(), ([a]) => a, other),
    /^RangeError: Trees differ in shape at "decoder\/0\/bias"$/,
  );
  assert.throws(() => mapTree({ a: tf.scalar(1) }, ([a]) => a, { a: {} }), /at "a"$/);
});
