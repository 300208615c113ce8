import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { ArraySpec, PureFunction } from "../../core/types.ts";
import { Builder } from "./builder.ts";
import type { Value } from "./graph.ts";
import { schedule } from "./loops.ts";
import { live } from "../onnx/emit.ts";
import { lower } from "../onnx/lower.ts";
import { emitOnnx } from "../onnx/onnx.ts";
import { trace } from "./trace.ts";

const f32 = (...shape: number[]): ArraySpec => ({ shape, dtype: "float32" });

function traced(
  fn: (x: Record<string, tf.Tensor>) => tf.Tensor,
  inputs: Record<string, ArraySpec>,
) {
  const pure: PureFunction = ({ inputs }) => ({ outputs: { y: fn({ ...inputs }) } });
  return trace(pure, { state: {}, inputs });
}
const operations = (value: Value) =>
  schedule([value]).map((v) => v.op === "unary" || v.op === "binary" ? `${v.op} ${v.fn}` : v.op);

Deno.test("Builder returns the same value for the same operation on the same inputs", () => {
  const b = new Builder();
  const x = b.input("input.x", [2, 3], "float32");
  assert.equal(b.unary("exp", x), b.unary("exp", x));
  assert.notEqual(b.unary("exp", x), b.unary("log", x));
  assert.notEqual(
    b.slice(x, { begin: [0, 0], size: [1, 3] }),
    b.slice(x, { begin: [1, 0], size: [1, 3] }),
  );
});

Deno.test("Builder.constant() tells infinities, NaN and both zeros apart", () => {
  const b = new Builder();
  const numbers = [Infinity, -Infinity, NaN, 0, -0];
  assert.equal(new Set(numbers.map((x) => b.constant([x], [2], "float32"))).size, numbers.length);
  assert.equal(b.constant([NaN], [2], "float32"), b.constant([NaN], [2], "float32"));
});

Deno.test("Builder applies exact simplifications only", () => {
  const b = new Builder();
  const x = b.input("input.x", [2, 3], "float32");
  const splat = (value: number) => b.constant([value], [2, 3], "float32");
  assert.equal(b.binary("add", x, splat(0)), x);
  assert.equal(b.binary("mul", splat(1), x), x);
  assert.equal(b.transpose(b.transpose(x, [1, 0]), [1, 0]), x);
  assert.equal(b.reshape(b.reshape(x, [6]), [2, 3]), x);
  assert.notEqual(b.binary("mul", x, splat(0)), splat(0)); // 0 * infinity
  assert.deepEqual(
    b.binary("add", splat(0.1), splat(0.2)).op === "constant" &&
      b.binary("add", splat(0.1), splat(0.2)),
    b.constant([Math.fround(0.1 + 0.2)], [2, 3], "float32"),
  );
});

Deno.test("Builder writes swish and its gradient as one function each", () => {
  const fn = ({ x }: Record<string, tf.Tensor>) =>
    tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.mul(x, tf.sigmoid(x)))))(x);
  const { outputs } = traced(fn, { x: f32(2, 4, 4, 16) });
  const found = operations(outputs.y);
  assert(found.includes("unary swish") && found.includes("unary swishGradient"), found.join(", "));
  assert(!found.includes("unary sigmoid"), found.join(", "));
});

Deno.test("Builder writes a convolution over its whole input, and its gradients, as matrix products", () => {
  const fn = ({ x, w }: Record<string, tf.Tensor>) => {
    const loss = (x: tf.Tensor, w: tf.Tensor) =>
      tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "valid")));
    const [dx, dw] = tf.grads(loss)([x, w]);
    return tf.add(tf.sum(dx), tf.sum(dw));
  };
  const found = operations(traced(fn, { x: f32(2, 6, 6, 16), w: f32(6, 6, 16, 8) }).outputs.y);
  assert.deepEqual(found.filter((op) => op.startsWith("conv")), []);
  assert.equal(found.filter((op) => op === "matmul").length, 3);
});

Deno.test("emitOnnx() keeps a chain of convolutions in blocked layout without reordering in between", () => {
  const conv = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 2);
  const swish = (x: tf.Tensor) => tf.mul(x, tf.sigmoid(x));
  const reorders = (channels: number) => {
    const program = emitOnnx(
      traced(({ x, a, b, c }) => conv(swish(tf.add(conv(swish(conv(x, a)), b), tf.sum(c))), c), {
        x: f32(2, 12, 12, channels),
        a: f32(4, 4, channels, 32),
        b: f32(4, 4, 32, 32),
        c: f32(4, 4, 32, channels),
      }),
      { block: 16 },
    );
    const text = new TextDecoder("latin1").decode(program.model);
    const count = (op: string) => text.split(op).length - 1;
    assert.equal(count("kernel_shape"), 3);
    return [count("ReorderInput"), count("ReorderOutput")];
  };
  assert.deepEqual(reorders(32), [1 + 3, 1]); // the image and the three filters, and the result
  assert.deepEqual(reorders(16), [3, 0]); // one block of channels has the same order in both layouts
});

Deno.test("lower() writes only nodes that are read, forward and backward", () => {
  const { outputs } = traced(({ x, a, b }) => {
    const loss = (a: tf.Tensor, b: tf.Tensor) => {
      const h = tf.conv2d(x as tf.Tensor4D, a as tf.Tensor4D, 2, 2);
      return tf.sum(tf.conv2d(tf.mul(h, tf.sigmoid(h)), b as tf.Tensor4D, 1, "same"));
    };
    const [da, db] = tf.grads(loss)([a, b]);
    return tf.add(tf.sum(da), tf.sum(db));
  }, { x: f32(2, 8, 8, 3), a: f32(4, 4, 3, 32), b: f32(3, 3, 32, 16) });
  const layouts = lower(schedule([outputs.y]), [outputs.y], { block: 16 });
  const read = new Set([layouts.plain(outputs.y)]);
  for (const { inputs } of layouts.emitter.nodes) inputs.forEach((name) => read.add(name));
  const unread = layouts.emitter.nodes.filter((node) => !node.outputs.some((o) => read.has(o)));
  assert.deepEqual(unread.filter(({ op }) => op !== "Reshape").map(({ op }) => op), []);
  // Reshapes that a later one skipped are left out of the model, in which no reshape reads another.
  const nodes = live(layouts.emitter.nodes, [layouts.plain(outputs.y)]);
  assert.equal(nodes.length, layouts.emitter.nodes.length - unread.length);
  const reshaped = new Set(nodes.flatMap(({ op, outputs }) => op === "Reshape" ? outputs : []));
  assert(reshaped.size > 0);
  assert(!nodes.some(({ op, inputs }) => op === "Reshape" && reshaped.has(inputs[0])));
});
