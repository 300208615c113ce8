import assert from "node:assert/strict";
import { join } from "node:path";
import type { ImageSet } from "../../core/types.ts";
import { openFeatureExtractor } from "./feature_extractor.ts";
import { fid, inceptionStatistics } from "./fid.ts";
import { frechetDistance } from "./frechet.ts";
import { imagesOfSet } from "./image_source.ts";
import { openInception } from "./inception.ts";
import { convertInception, findInception, inceptionFolder } from "./inception_store.ts";
import { preprocess } from "./preprocess.ts";
import { hashUniform, randomWeights } from "./random_weights.ts";
import { checkComparable, describeImages, scorePair, warningsOf } from "./score_pair.ts";
import { featureStatistics } from "./feature_statistics.ts";
import { writeLegacyTorchFile } from "../../formats/torch_writer.ts";

/** Makes `count` noisy images of 16x16 pixels with values in [0, level). */
function images(name: string, count: number, level: number): ImageSet {
  const image = { height: 16, width: 16, channels: 3 };
  const noise = hashUniform(name, count * 16 * 16 * 3);
  const pixels = Uint8Array.from(noise, (u) => Math.floor(level * u));
  return { image, count, pixels, sha256: `${name}-${level}-${count}`.padEnd(64, "0") };
}

/** Runs `body` with an Inception network of random weights, installed from a PyTorch file in a temporary folder. */
async function withInception(body: (folder: string) => Promise<void>): Promise<void> {
  const before = Deno.env.get("LAEBENCH_DATA");
  const data = await Deno.makeTempDir();
  Deno.env.set("LAEBENCH_DATA", data);
  try {
    assert.match(await fid.available?.() ?? "", /not installed: run deno task inception/);
    assert.equal(fid.sha256, undefined);
    const file = join(data, "weights.pth");
    await Deno.writeFile(file, writeLegacyTorchFile(randomWeights()));
    await convertInception(file, inceptionFolder());
    await body(inceptionFolder());
  } finally {
    if (before === undefined) Deno.env.delete("LAEBENCH_DATA");
    else Deno.env.set("LAEBENCH_DATA", before);
    await Deno.remove(data, { recursive: true });
  }
}

function stored(folder: string) {
  const found = findInception(folder);
  assert.ok(found);
  return found;
}

/** Computes features [n, 2048] of `set` by one session, image by image. */
async function featuresOf(set: ImageSet, folder: string): Promise<Float32Array> {
  await using inception = await openInception(stored(folder).path, { threads: 1 });
  const rows = new Float32Array(set.count * 2048);
  for (let i = 0; i < set.count; i++) {
    const raster = { height: 16, width: 16, data: set.pixels.subarray(i * 768, (i + 1) * 768) };
    rows.set((await inception.run(preprocess(raster, "tf"))).pool3, i * 2048);
  }
  return rows;
}

Deno.test("fid, from the weights file to the score", async (t) => {
  await withInception(async (folder) => {
    const real = images("real", 4, 255), fake = images("fake", 3, 180);

    await t.step("the network is identified by the hash of its parameters", async () => {
      assert.equal(await fid.available?.(), null);
      // The hash of the file that PyTorch wrote from the same numbers (ci/parity/inception.py).
      assert.equal(
        fid.sha256,
        "1af7abddb076012b81acd2f771bce8dce0e26ad68ec9ef595bd8e3c46889d035",
      );
      assert.equal(stored(folder).published, false);
    });

    const features = { real: await featuresOf(real, folder), fake: await featuresOf(fake, folder) };

    await t.step(
      "two workers return the features of one session, in the order of the images",
      async () => {
        const split = { sessions: 2, threads: 1 };
        using extractor = await openFeatureExtractor(stored(folder).path, { mode: "tf", split });
        let i = 0;
        for await (const { pool3 } of extractor.outputs(imagesOfSet(real, "real").images())) {
          assert.deepEqual(pool3, features.real.slice(i * 2048, (i + 1) * 2048));
          i++;
        }
        assert.equal(i, 4);
      },
    );

    await t.step("an error in the images reaches the caller", async () => {
      const split = { sessions: 1, threads: 1 };
      async function* broken() {
        yield { height: 16, width: 16, data: real.pixels.subarray(0, 768) };
        throw new SyntaxError("bad.png: broken");
      }
      const source = { name: "x", count: null, formats: [], images: broken };
      const inception = stored(folder);
      await assert.rejects(
        inceptionStatistics(source, { inception, mode: "tf", split }),
        /bad\.png/,
      );
    });

    await t.step(
      "the score is the Fréchet distance of the features, and the reference is cached",
      async () => {
        const done: number[] = [];
        let waits = 0;
        const watcher = { done: (count: number) => done.push(count), waiting: () => waits++ };
        const runs = [fid.reference(real, watcher), fid.reference(real, watcher)];
        const [reference, waited] = await Promise.all(runs); // in parallel: one computes
        assert.deepEqual([done, waits], [[1, 2, 3, 4], 1]);
        assert.deepEqual(waited, reference);
        await using scoring = await fid.begin(reference);
        for (const [from, count] of [[0, 1], [1, 2]]) { // samples arrive in batches
          const pixels = fake.pixels.subarray(from * 768, (from + count) * 768);
          await scoring.add({ ...fake, count, pixels });
        }
        const score = await scoring.finish();
        const [x, y] = [features.fake, features.real].map((rows) => featureStatistics(rows, 2048));
        const expected = frechetDistance(x, y);
        assert.ok(expected > 1);
        assert.ok(Math.abs(score / expected - 1) < 1e-9); // sums of 2,048 terms in another order
        const cached = [...Deno.readDirSync(join(folder, "statistics"))].map(({ name }) => name)
          .filter((name) => !name.endsWith(".lock"));
        assert.deepEqual(cached, [
          `16x16x3-${real.sha256.slice(0, 16)}-${stored(folder).weightsSha256.slice(0, 16)}-tf.npz`,
        ]);
        // Other pixels under the same hash would give another reference if it were computed again.
        assert.deepEqual(await fid.reference({ ...real, pixels: fake.pixels }), reference);
      },
    );

    await t.step("all scores of a pair, with their warnings", async () => {
      const inception = stored(folder);
      const samples = await describeImages(imagesOfSet(images("fake", 10, 180), "fake"), {
        inception,
        mode: "tf",
        split: { sessions: 1, threads: 2 },
        keep: { features: true, logits: true },
        progress: () => {},
      });
      const wanted = { kid: true, inceptionScore: true, overlap: true, fidInfinity: false };
      const options = { wanted, seed: 1, threads: 1, progress: () => {} };
      const { scores, failures } = await scorePair(samples, samples, options);
      assert.deepEqual(failures, []);
      assert.ok(Math.abs(scores.fid ?? NaN) < 1e-9);
      assert.deepEqual([scores.precision, scores.recall, scores.coverage], [1, 1, 1]);
      assert.ok((scores.inceptionScore?.mean ?? 0) >= 1);
      // Of one subset that is the whole set, the same estimate; the error is its own.
      const [all, subsets] = [scores.kidOfAll, scores.kid];
      assert.ok(all && subsets && Math.abs(all.value - subsets.mean) < 1e-6);
      assert.ok(all.standardError > 0 && subsets.std === null);
      const { origin } = samples;
      const other = { ...samples, origin: origin && { ...origin, mode: "clean" as const } };
      assert.throws(() => checkComparable(samples, other), /different mode \(tf, clean\)/);
      const file = { ...other, features: null, name: "x.npz" };
      const part = await scorePair(samples, file, options);
      assert.deepEqual(Object.keys(part.scores), ["fid", "inceptionScore"]);
      assert.match(
        part.failures.join(),
        /KID of fake and x\.npz failed:.*,Precision and recall of/,
      );
      const jpeg = { ...file, origin: null, formats: ["jpg"] };
      const warnings = warningsOf(samples, jpeg, inception).join("\n");
      assert.match(warnings, /x\.npz was compressed with loss \(jpg\), fake was not/);
      assert.match(warnings, /has 10 images, no more than the 2048 features/);
      assert.match(warnings, /x\.npz does not record its mode/);
      assert.match(warnings, /origin is not verified/);
    });

    await t.step("a collapsed generator has an FID, and a warning", async () => {
      const saved = async (name: string, level: number) => ({
        ...await inceptionStatistics(imagesOfSet(images(name, 3, level), name), {
          inception: stored(folder),
          mode: "tf",
          split: { sessions: 1, threads: 2 },
        }),
        name,
        formats: [],
        features: null,
        logits: null,
      });
      const [black, noise] = [await saved("black", 1), await saved("noise", 255)];
      const wanted = { kid: false, inceptionScore: false, overlap: false, fidInfinity: false };
      const { scores, failures } = await scorePair(black, noise, {
        wanted,
        seed: 0,
        threads: 1,
        progress: () => {},
      });
      assert.deepEqual(failures, []);
      const { mean } = black.statistics, d = mean.length;
      const shift = noise.statistics.mean.reduce((sum, m, j) => sum + (m - mean[j]) ** 2, 0);
      const spread = mean.reduce((sum, _, j) => sum + noise.statistics.covariance[j * d + j], 0);
      assert.ok(Math.abs((scores.fid ?? NaN) / (shift + spread) - 1) < 1e-6, `${scores.fid}`);
      const warnings = warningsOf(black, noise, stored(folder));
      assert.equal(warnings.filter((line) => /have the same features/.test(line)).length, 1);
      assert.match(warnings.join(), /all images of black have/);
    });

    await t.step("an altered network is detected", async () => {
      const { path } = stored(folder);
      const file = await Deno.open(path, { write: true });
      await file.seek(1000, Deno.SeekMode.Start);
      await file.write(Uint8Array.of(1, 2, 3));
      file.close();
      assert.match(await fid.available?.() ?? "", /inception\.onnx is missing or altered/);
      await Deno.writeTextFile(join(folder, "inception.json"), "{}");
      assert.throws(() => findInception(folder), /inception\.json is broken/);
    });
  });
});
