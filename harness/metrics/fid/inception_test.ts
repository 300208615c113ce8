import assert from "node:assert/strict";
import golden from "../../../fixtures/fid/inception.json" with { type: "json" };
import { encodeModel } from "../../formats/onnx_model.ts";
import { openInception } from "./inception.ts";
import { foldBatchNorm, inceptionGraph } from "./inception_onnx.ts";
import { inceptionParameters, inceptionUnits } from "./inception_network.ts";
import { type Mode, preprocess } from "./preprocess.ts";
import { randomImage, randomWeights } from "./random_weights.ts";

function floats(text: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(text).buffer);
}

Deno.test("inceptionUnits() has the published number of parameters", () => {
  const units = inceptionUnits();
  assert.equal(units.length, 94);
  // 23,885,392 parameters: the state_dict of the published file (pytorch-fid).
  const sizes = [...inceptionParameters().values()].map((shape) => shape.reduce((a, b) => a * b));
  assert.equal(sizes.length, 472);
  assert.equal(sizes.reduce((a, b) => a + b), 23_885_392);
});

Deno.test("foldBatchNorm() equals the convolution followed by the normalization", () => {
  const { weight, bias } = foldBatchNorm(Float32Array.of(1, 2, 3, 4), {
    gamma: Float32Array.of(2, 1),
    beta: Float32Array.of(0.5, 0),
    mean: Float32Array.of(3, -1),
    variance: Float32Array.of(4 - 0.001, 0.25 - 0.001), // standard deviations 2 and 0.5
  });
  const close = (actual: Float32Array, expected: number[]) =>
    actual.forEach((x, i) => assert.ok(Math.abs(x - expected[i]) < 1e-6)); // a few float32 roundings
  close(weight, [1, 2, 6, 8]);
  close(bias, [0.5 - 3, 2]);
});

Deno.test("openInception() agrees with torch-fidelity and pytorch-fid on random weights", async () => {
  const model = encodeModel(inceptionGraph(randomWeights()));
  await using inception = await openInception(model, { threads: 2 });
  for (const image of golden.images) {
    const raster = randomImage(image.name, image.height, image.width);
    const modes = { tf: floats(image.tf), "pytorch-fid": floats(image["pytorch-fid"]) };
    for (const [mode, expected] of Object.entries(modes)) {
      const { pool3, logits } = await inception.run(preprocess(raster, mode as Mode));
      // The tolerance of torch-fidelity relative to TensorFlow (tests/tf1/primitives/test_inception.py) is 1e-4
      // absolute; require 1e-5 of the largest feature as well.
      assertNear(pool3, expected, 1e-4, `${image.name} ${mode}`);
      assertNear(pool3, expected, 1e-5 * Math.max(...expected), `${image.name} ${mode}`);
      if (mode === "tf") {
        const wanted = floats(image.logits_unbiased);
        // Sums of 2,048 features (error 1e-5) times weights of 0.03: 0.03 * sqrt(2048) * 1e-5.
        assertNear(logits, wanted, 1.4e-5 + 1e-5 * Math.max(...wanted), `${image.name} logits`);
      }
    }
  }
});

function assertNear(
  actual: Float32Array,
  expected: Float32Array,
  tolerance: number,
  label: string,
): void {
  assert.equal(actual.length, expected.length);
  const difference = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i])), 0);
  assert.ok(difference <= tolerance, `${label}: ${difference} > ${tolerance}`);
}
