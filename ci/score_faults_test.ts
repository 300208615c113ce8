import assert from "node:assert/strict";
import { FAULTS, openJudge } from "./score_faults.ts";

Deno.test("marks of sets with a fault are those of its kind", async () => {
  const { judge } = await openJudge();
  for (const fault of FAULTS) {
    assert.deepEqual((await judge(fault)).marks, fault.marks, fault.name);
  }
});

Deno.test("20 random sets of real images get no mark, whatever their number", async () => {
  const { judgeReal } = await openJudge();
  for (const count of [1000, 100]) {
    for (let seed = 0; seed < 20; seed++) {
      const { samples, marks } = await judgeReal(count, seed);
      assert.equal(samples.count, count);
      assert.deepEqual(marks, [], `${count} images, seed ${seed}`);
    }
  }
});
