import assert from "node:assert/strict";
import { mutate, MUTATIONS } from "./mutations.ts";

Deno.test("mutate() changes each rule where it says", async () => {
  for (const mutation of MUTATIONS) {
    const path = new URL(`../methods/samplers/${mutation.rule}.ts`, import.meta.url);
    const source = await Deno.readTextFile(path);
    assert.notEqual(mutate(source, mutation), source, mutation.name);
  }
  const names = MUTATIONS.map(({ rule, name }) => `${rule}: ${name}`);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("mutate() refuses a text that is not there, or there twice", () => {
  const mutation = { name: "half", rule: "langevin", find: "2", replace: "1" };
  assert.equal(mutate("a 2", mutation), "a 1");
  assert.throws(() => mutate("a", mutation), /half.*stands there 0 times/);
  assert.throws(() => mutate("2 2", mutation), /stands there 2 times/);
});
