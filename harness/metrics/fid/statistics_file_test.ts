import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { readNpy, writeNpy } from "../../formats/npy.ts";
import { featureStatistics } from "./feature_statistics.ts";
import { type Origin, readStatistics, writeStatistics } from "./statistics_file.ts";

const ORIGIN: Origin = {
  schema: 1,
  count: 4,
  mode: "tf",
  weightsSha256: "ab".repeat(32),
  imagesSha256: "cd".repeat(32),
  images: "folder",
  quantize: "bytes",
};
const STATISTICS = featureStatistics(Float32Array.of(1, 2, 3, 5, -1, 0.5, 2, 2), 2);

Deno.test("readStatistics() reads the output of writeStatistics()", () => {
  const saved = { statistics: STATISTICS, origin: ORIGIN };
  assert.deepEqual(readStatistics(writeStatistics(saved), "x.npz"), saved);
  const foreign = { statistics: { ...STATISTICS, count: null }, origin: null };
  assert.deepEqual(readStatistics(writeStatistics(foreign), "x.npz"), foreign);
});

Deno.test("writeStatistics() writes the same bytes for the same statistics", () => {
  const saved = { statistics: STATISTICS, origin: ORIGIN };
  assert.deepEqual(writeStatistics(saved), writeStatistics(saved));
});

Deno.test("readStatistics() reads a file of numpy.savez, zip64 headers and Fortran order", () => {
  // python -c "import io, base64, numpy as np; f = io.BytesIO(); np.savez_compressed(f,
  //   mu=np.array([1, 2], 'f4'), sigma=np.asfortranarray([[2, .5], [.5, 3]]));
  //   print(base64.b64encode(f.getvalue()).decode())", numpy 2.4.6
  const { statistics, origin } = readStatistics(Uint8Array.fromBase64(NUMPY_FILE), "numpy.npz");
  assert.equal(origin, null);
  assert.deepEqual(statistics, {
    count: null,
    mean: Float64Array.of(1, 2),
    covariance: Float64Array.of(2, 0.5, 0.5, 3),
  });
});

Deno.test("readNpy() converts Fortran order to row-major", () => {
  const bytes = writeNpy({ shape: [2, 3], data: Float64Array.of(1, 4, 2, 5, 3, 6) });
  const place = new TextDecoder().decode(bytes.subarray(10, 128)).indexOf("False");
  const fortran = bytes.slice();
  fortran.set(new TextEncoder().encode("True "), 10 + place);
  assert.deepEqual([...readNpy(fortran).data], [1, 2, 3, 4, 5, 6]);
});

Deno.test("readStatistics() refuses wrong arrays and names the file", () => {
  const mu = writeNpy({ shape: [2], data: Float64Array.of(1, 2) });
  const square = (values: number[]) => writeNpy({ shape: [2, 2], data: Float64Array.from(values) });
  const sigma = square([1, 0, 0, 1]);
  const integers = mu.slice();
  integers.set(new TextEncoder().encode("<i8"), new TextDecoder().decode(mu).indexOf("<f8"));
  const cases: [Record<string, Uint8Array>, RegExp][] = [
    [{}, /no array "mu", only nothing/],
    [{ "arr_0.npy": mu }, /no array "mu", only arr_0/],
    [{ "mu.npy": mu }, /no array "sigma", only mu/],
    [{ "mu.npy": mu, "sigma.npy": mu }, /must have shapes \[d\] and \[d, d\]/],
    [{ "mu.npy": sigma, "sigma.npy": sigma }, /must have shapes \[d\] and \[d, d\]/],
    [{ "mu.npy": integers, "sigma.npy": sigma }, /must be float32 or float64, got type <i8/],
    [{ "mu.npy": mu.slice(0, 140), "sigma.npy": sigma }, /needs 16 bytes, got 12/],
    [{ "mu.npy": mu.slice(0, 50), "sigma.npy": sigma }, /truncated/],
    [{ "mu.npy": new Uint8Array(20), "sigma.npy": sigma }, /signature/],
    [{ "mu.npy": mu, "sigma.npy": square([1, 0.5, 0, 1]) }, /not symmetric at \(1, 0\)/],
    [{ "mu.npy": mu, "sigma.npy": square([1, NaN, NaN, 1]) }, /not finite/],
    [
      { "mu.npy": mu, "sigma.npy": sigma, "laebench.json": new TextEncoder().encode("{}") },
      /laebench\.json is broken/,
    ],
    [
      { "mu.npy": mu, "sigma.npy": sigma, "laebench.json": new TextEncoder().encode("{") },
      /^SyntaxError: bad\.npz/,
    ],
  ];
  for (const [members, error] of cases) {
    assert.throws(() => readStatistics(zipSync(members).slice(), "bad.npz"), (thrown: unknown) => {
      assert.ok(thrown instanceof SyntaxError);
      assert.match(String(thrown), error);
      assert.match(thrown.message, /^bad\.npz: /);
      return true;
    });
  }
});

Deno.test("statistics of equal images are read as they were saved", () => {
  const statistics = featureStatistics(Float32Array.of(1, 2, 1, 2, 1, 2), 2);
  const saved = { statistics: { ...statistics, count: 3 }, origin: { ...ORIGIN, count: 3 } };
  assert.deepEqual(readStatistics(writeStatistics(saved), "x.npz"), saved);
});

Deno.test("readStatistics() refuses a file truncated at any byte", () => {
  const whole = writeStatistics({ statistics: STATISTICS, origin: ORIGIN });
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readStatistics(whole.slice(0, length), "cut.npz"), SyntaxError);
  }
});

const NUMPY_FILE = [
  "UEsDBC0AAAAIAAAAIQCayqvn//////////8GABQAbXUubnB5AQAQAIgAAAAAAAAATAAAAAAAAACb7BfqGxDJyFDGUK",
  "2eklqcXKRupaBuk2airqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBoYGewYGBgcAUEsD",
  "BC0AAAAIAAAAIQB1LWlq//////////8JABQAc2lnbWEubnB5AQAQAKAAAAAAAAAAUAAAAAAAAACb7BfqGxDJyFDGUK",
  "2eklqcXKRupaBuk2ahrqOgnpZfVFKUmBefX5SSChIPKSpNBQoXZyQWpAK5GkY6CkaaOgq1CuQDLgYIcIBQD+xRaQ4H",
  "AFBLAQItAy0AAAAIAAAAIQCayqvnTAAAAIgAAAAGAAAAAAAAAAAAAACAAQAAAABtdS5ucHlQSwECLQMtAAAACAAAAC",
  "EAdS1palAAAACgAAAACQAAAAAAAAAAAAAAgAGEAAAAc2lnbWEubnB5UEsFBgAAAAACAAIAawAAAA8BAAAAAA==",
].join("");
