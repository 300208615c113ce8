import assert from "node:assert/strict";
import { DATASETS, resolveDataset } from "./mod.ts";

Deno.test("DATASETS keys are the names of the data sets", () => {
  for (const [key, { name }] of Object.entries(DATASETS)) assert.equal(key, name);
});

Deno.test("resolveDataset() finds table names and lists them for an unknown one", async () => {
  assert.equal(await resolveDataset("fashion_4k"), DATASETS.fashion_4k);
  for (const word of ["fashion4k", "", "toString", "__proto__"]) {
    await assert.rejects(resolveDataset(word), (error: Error) => {
      assert(error instanceof RangeError);
      assert.match(
        error.message,
        /^Unknown data set ".*": known data sets are fashion_4k, fashion_/,
      );
      return true;
    });
  }
});
