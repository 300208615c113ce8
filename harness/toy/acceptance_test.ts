import assert from "node:assert/strict";
import { bivariateGaussian } from "../../datasets/toy/bivariate_gaussian.ts";
import { openDevice } from "../engine/device.ts";
import { expectedAcceptance } from "./acceptance.ts";
import { exactStarts } from "./known_rows.ts";
import { gaussianTruth } from "./gaussian_truth.ts";

Deno.test("expectedAcceptance() has the rates of an independent computation, and fewer for one decision", async () => {
  await using device = await openDevice("cpu", { threads: 1 });
  const starts = exactStarts(bivariateGaussian, gaussianTruth(bivariateGaussian.answer));
  // numpy, 60,000 exact draws with one proposal each: known to 0.001.
  for (const [times, rate] of [[1, 0.986], [2, 0.96], [4, 0.888], [8, 0.707]]) {
    const stepSize = times * bivariateGaussian.stepSize;
    const options = { starts, stepSize, device };
    const each = await expectedAcceptance(bivariateGaussian, { ...options, joint: false });
    assert.ok(Math.abs(each.value - rate) < 0.001 + 4 * each.error, `${each.value}, ${rate}`);
    assert.ok(each.error < 0.002);
    const joint = await expectedAcceptance(bivariateGaussian, { ...options, joint: true });
    assert.ok(joint.value < each.value - 4 * joint.error);
  }
});
