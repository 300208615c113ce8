import assert from "node:assert/strict";
import { ANYWHERE, mutate, MUTATIONS } from "./mutations.ts";

Deno.test("mutate() changes each file where it says", async () => {
  for (const mutation of [...MUTATIONS, ...ANYWHERE]) {
    const path = new URL(`../${mutation.file}`, import.meta.url);
    const source = await Deno.readTextFile(path);
    assert.notEqual(mutate(source, mutation), source, mutation.name);
  }
  const names = [...MUTATIONS, ...ANYWHERE].map(({ of, name }) => `${of}: ${name}`);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("mutate() refuses a text that is not there, or there twice", () => {
  const mutation = { name: "half", of: "a", file: "a.ts", find: "2", replace: "1" };
  assert.equal(mutate("a 2", mutation), "a 1");
  assert.throws(() => mutate("a", mutation), /half.*stands there 0 times/);
  assert.throws(() => mutate("2 2", mutation), /stands there 2 times/);
});
