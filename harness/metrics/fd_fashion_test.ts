import assert from "node:assert/strict";
import { keyOf, words } from "../core/noise.ts";
import type { ImageSet } from "../core/types.ts";
import { cropImages } from "../core/image_set.ts";
import { FASHION_SCORES, fdFashion } from "./fd_fashion.ts";
import { scoreImages } from "../run/scorer.ts";
import { frechetDistance } from "./fid/frechet.ts";

const IMAGE = { height: 32, width: 32, channels: 1 };

/** Makes `count` images of random bytes in [0, peak]. */
function noiseImages(seed: number, count: number, peak = 255): ImageSet {
  const bits = words(keyOf(seed), 0, count * 1024);
  const pixels = Uint8Array.from(bits, (word) => (word >>> 8) * 2 ** -24 * (peak + 1));
  return { image: IMAGE, count, pixels, sha256: "" };
}

Deno.test("fdFashion of a set and itself is zero", async () => {
  const set = noiseImages(1, 100);
  const reference = await fdFashion.reference(set);
  // Allow for float64 rounding of a sum of 176 terms of the size of the trace.
  const trace = reference.statistics.covariance.reduce(
    (sum, x, i) => i % 177 === 0 ? sum + x : sum,
    0,
  );
  assert(Math.abs(await scoreImages(fdFashion, set, reference)) < 1e-9 * trace);
});

Deno.test("fdFashion grows with the difference of two sets", async () => {
  const reference = await fdFashion.reference(noiseImages(1, 200));
  const same = await scoreImages(fdFashion, noiseImages(2, 200), reference);
  const darker = await scoreImages(fdFashion, noiseImages(3, 200, 180), reference);
  const dark = await scoreImages(fdFashion, noiseImages(4, 200, 60), reference);
  assert(same < darker && darker < dark, `${same}, ${darker}, ${dark}`);
});

Deno.test("fdFashion.reference() does not depend on how images are chunked", async () => {
  const set = noiseImages(5, 700); // a full chunk and a partial one
  const statisticsOf = async (set: ImageSet) => (await fdFashion.reference(set)).statistics;
  const whole = await statisticsOf(set);
  assert.equal(whole.count, 700);
  const part = (from: number, to: number): ImageSet => ({
    ...set,
    count: to - from,
    pixels: set.pixels.subarray(from * 1024, to * 1024),
  });
  const a = await statisticsOf(part(0, 350));
  const b = await statisticsOf(part(350, 700));
  // Equal up to float32 rounding of the features, about 1e-6 of their size.
  for (const [i, mean] of whole.mean.entries()) {
    assert(Math.abs(mean - (a.mean[i] + b.mean[i]) / 2) < 1e-5 * (1 + Math.abs(mean)));
  }
  assert(frechetDistance(a, b) > 0);
});

Deno.test("fdFashion refuses images of another shape and names the shape", async () => {
  const image = { height: 32, width: 32, channels: 3 };
  const set = { image, count: 2, pixels: new Uint8Array(2 * 3072), sha256: "" };
  await assert.rejects(fdFashion.reference(set), (error: Error) => {
    assert(error instanceof RangeError);
    assert.match(error.message, /needs 32x32x1 or 28x28x1 images, got 32x32x3/);
    return true;
  });
});

Deno.test("the scores of 28x28 images are those of the same images padded to 32x32, to the bit", async () => {
  const small = { height: 28, width: 28, channels: 1 };
  const cropped = (set: ImageSet): ImageSet => ({
    ...set,
    image: small,
    pixels: cropImages(set.pixels, { from: IMAGE, to: small }),
  });
  // Images on a border of zeros; those of 28x28 have the same rows in the middle.
  const framed = (seed: number): ImageSet => {
    const set = noiseImages(seed, 40);
    const pixels = set.pixels.map((value, i) => {
      const [y, x] = [Math.floor(i % 1024 / 32), i % 32];
      return Math.min(x, y) < 2 || Math.max(x, y) > 29 ? 0 : value;
    });
    const labels = Uint8Array.from({ length: set.count }, (_, row) => row % 10);
    return { ...set, pixels, labels };
  };
  const [samples, real] = [framed(6), framed(7)];
  for (const metric of Object.values(FASHION_SCORES)) {
    const scoreOf = async (samples: ImageSet, real: ImageSet) =>
      await scoreImages(metric, samples, await metric.reference(real));
    const whole = await scoreOf(samples, real);
    assert.equal(await scoreOf(cropped(samples), cropped(real)), whole, metric.name);
    assert.equal(await scoreOf(cropped(samples), real), whole, metric.name);
  }
});

Deno.test("the scores take images of 28x28 and 32x32 alone", () => {
  for (const [height, width] of [[28, 32], [30, 30], [64, 64]]) {
    const image = { height, width, channels: 1 };
    assert.throws(
      () => fdFashion.check?.(image),
      /needs 32x32x1 or 28x28x1 images/,
      `${height}x${width}`,
    );
  }
  fdFashion.check?.({ height: 28, width: 28, channels: 1 });
});
