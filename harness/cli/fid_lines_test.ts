import assert from "node:assert/strict";
import { featureTable } from "../metrics/fid/feature_table.ts";
import { kernelInceptionDistance, kidOfAllImages } from "../metrics/fid/kid.ts";
import { scoreLines } from "./fid_lines.ts";

Deno.test("scoreLines() gives KID of small sets an error over images, and none over subsets that are whole sets", async () => {
  const features = (from: number) =>
    featureTable(Float32Array.from({ length: 40 }, (_, i) => Math.sin(from + i * i)), 2);
  const [x, y] = [features(0), features(9)];
  const kid = await kernelInceptionDistance(x, y, { seed: 0, threads: 1 });
  const kidOfAll = await kidOfAllImages(x, y, { threads: 1 });
  const [all, subsets, ...rest] = scoreLines({ kid, kidOfAll });
  assert.deepEqual(rest, []);
  assert.match(
    all,
    /^KID x 1000 +-?\d+\.\d{4} ± (?!0\.0000)\d+\.\d{4} \(standard error over images\)$/,
  );
  assert.match(
    subsets,
    /^KID, subsets +-?\d+\.\d{4} \(no standard deviation: every subset is the whole set\)$/,
  );
});

Deno.test("scoreLines() leaves out what was not computed", () => {
  assert.deepEqual(scoreLines({ fid: 9 }), ["FID              9.0000"]);
  assert.deepEqual(scoreLines({ inceptionScore: { mean: 2, std: 0.5 } }), [
    "Inception Score  2.0000 (standard deviation of the parts 0.5000)",
  ]);
});
