import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import sharp from "sharp";
import { withTempDir } from "../testing/temp_dir.ts";
import { projectPath } from "../core/project.ts";
import { featureStatistics } from "../metrics/fid/feature_statistics.ts";
import { writeStatistics } from "../metrics/fid/statistics_file.ts";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the command line with an empty cache folder and without network. */
async function run(folder: string, ...command: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // deno-fmt-ignore
    args: [
      "run", "--quiet", "--no-prompt", "--allow-read", `--allow-write=${folder}`, "--allow-env",
      "--allow-ffi", "--allow-sys", "--allow-net=127.0.0.1", projectPath("harness/cli/fid.ts"), ...command,
    ],
    env: {
      HOME: folder,
      LAEBENCH_DATA: join(folder, "data"),
      TMPDIR: folder,
      NO_COLOR: "1",
      INIT_CWD: folder, // set by deno task, which changes to the project's folder
    },
    cwd: projectPath("."),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), error: text(stderr) };
}

Deno.test("deno task fid and inception at the command line", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const save = async (name: string, values: readonly number[]) => {
      const statistics = featureStatistics(Float32Array.from(values), 2);
      await Deno.writeFile(join(folder, name), writeStatistics({ statistics, origin: null }));
    };
    await save("a.npz", [0, 0, 2, 0, 0, 2, 2, 2]);
    await save("b.npz", [3, 0, 5, 0, 3, 2, 5, 2]); // the same points shifted by (3, 0)
    await Deno.writeTextFile(join(folder, "broken.npz"), "PK");
    await Deno.writeTextFile(join(folder, "x.png"), "");
    const wide = featureStatistics(Float32Array.of(0, 1, 2, 3, 4, 0), 3);
    await Deno.writeFile(
      join(folder, "wide.npz"),
      writeStatistics({ statistics: wide, origin: null }),
    );

    await t.step(
      "statistics need no Inception network: the FID of shifted Gaussians is the squared shift",
      async () => {
        const { code, out } = await run(folder, "fid", "a.npz", "b.npz", "--json");
        assert.equal(code, 0);
        const { fid, mode, samples } = JSON.parse(out);
        assert.ok(Math.abs(fid - 9) < 1e-12);
        assert.equal(mode, null);
        assert.deepEqual(samples, { name: "a.npz", count: null, imagesSha256: null });
        const lines = await run(folder, "fid", "a.npz", "b.npz");
        assert.equal(lines.out, "FID              9.0000");
      },
    );

    const failures: [string, number, string[], RegExp][] = [
      ["unknown mode", 2, ["fid", "a.npz", "b.npz", "--mode", "torch"], /Allowed choices are tf/],
      ["nothing to compare with", 2, ["fid", "a.npz"], /Name a second set/],
      ["bad split", 2, ["fid", "a.npz", "b.npz", "--split", "2"], /sessions x threads/],
      ["unknown command", 2, ["fids"], /unknown command/],
      ["broken file", 1, ["fid", "a.npz", "broken.npz"], /^broken\.npz: .*truncated$/],
      [
        "features of two networks",
        1,
        ["fid", "a.npz", "wide.npz"],
        /^a\.npz has 2 features and wide\.npz has 3/,
      ],
      ["missing file", 1, ["fid", "a.npz", "c.npz"], /^File or folder not found: c\.npz$/],
      [
        "KID of statistics",
        1,
        ["fid", "a.npz", "b.npz", "--kid"],
        /^KID \(--kid\) needs the images of a\.npz/,
      ],
      ["images without Inception", 1, ["fid", "b.npz", "."], /run deno task inception$/],
      [
        "weights without network",
        1,
        ["inception"],
        /cannot be downloaded.*fetch https:.*95,628,359 bytes, SHA-256 6726825d.*--weights$/,
      ],
      [
        "wrong weights",
        1,
        ["inception", "--weights", "a.npz"],
        /^a\.npz: .*not a file of torch\.save/,
      ],
      ["missing weights", 1, ["inception", "--weights", "none.pth"], /^File not found: none\.pth$/],
    ];
    for (const [name, code, command, message] of failures) {
      await t.step(`${name}: one line and exit code ${code}`, async () => {
        const outcome = await run(folder, ...command);
        assert.match(outcome.error, message);
        assert.equal(outcome.code, code);
        assert.equal(outcome.error.split("\n").length, 1, outcome.error);
        assert.equal(outcome.out, "");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Installs a file that is no network, so that running it fails, and images of which all names are right. */
async function installUnusable(folder: string): Promise<void> {
  const network = join(folder, "data/inception");
  await Deno.mkdir(network, { recursive: true });
  const bytes = new TextEncoder().encode("not a network");
  await Deno.writeFile(join(network, "inception.onnx"), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const side = {
    schema: 1,
    weightsSha256: sha256,
    sourceSha256: sha256,
    sourceFormat: "test",
    published: false,
    onnxSha256: sha256,
  };
  await Deno.writeTextFile(join(network, "inception.json"), JSON.stringify(side));
  for (const [set, count] of Object.entries({ A: 12, B: 12, few: 3, one: 1, torn: 3 })) {
    await Deno.mkdir(join(folder, set));
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from({ length: 192 }, (_, k) => (k * (i + 1)) % 256);
      const png = await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } }).png()
        .toBuffer();
      const isTorn = set === "torn" && i === 2;
      await Deno.writeFile(join(folder, set, `${i}.png`), png.subarray(0, isTorn ? 90 : undefined));
    }
  }
  const clean = {
    ...{ schema: 1, count: 4, mode: "clean", weightsSha256: sha256, imagesSha256: sha256 } as const,
    ...{ images: "x", quantize: "bytes" } as const,
  };
  const statistics = featureStatistics(new Float32Array(2 * 2048).map((_, i) => i % 7), 2048);
  await Deno.writeFile(join(folder, "clean.npz"), writeStatistics({ statistics, origin: clean }));
  await Deno.writeFile(
    join(folder, "other.npz"),
    writeStatistics({
      statistics,
      origin: { ...clean, mode: "tf", weightsSha256: "0".repeat(64) },
    }),
  );
}

Deno.test("deno task fid finds every wrong input before the network runs", async (t) => {
  await withTempDir(async (folder) => {
    await installUnusable(folder);
    const cases: [string, string[], RegExp][] = [
      ["a typing error in B", ["A", "BB"], /^There is no file, folder or data set "BB": known/],
      ["a missing archive", ["A", "b/c.zip"], /^File or folder not found: b\/c\.zip$/],
      ["no folder for the statistics", ["A", "--save-stats", "no/a.npz"], /^The folder of no\/a/],
      ["a folder as the file of statistics", ["A", "B", "--save-stats", "few"], /^few is a folder/],
      [
        "too few images for --is",
        ["few", "B", "--is"],
        /^Inception Score .*10 images, got 3 in few/,
      ],
      ["too few images for --pr", ["A", "few", "--pr"], /^Precision .* 6 images, got 3 in few/],
      ["too few images for --infinity", ["few", "B", "--infinity"], /^FID-infinity .* 4 images/],
      ["KID of statistics", ["A", "clean.npz", "--kid", "--mode", "clean"], /^KID .*needs the im/],
      ["another mode", ["A", "clean.npz"], /different mode \(tf, clean\)/],
      ["other weights", ["A", "other.npz"], /different network weights/],
      ["a single image", ["A", "one"], /^Statistics need at least 2 images, got 1 in one$/],
      ["a torn image at the end of B", ["A", "torn"], /^torn\/2\.png: /],
    ];
    for (const [name, args, message] of cases) {
      await t.step(name, async () => {
        const { code, error } = await run(folder, "fid", ...args);
        assert.match(error, message);
        assert.equal(error.split("\n").length, 1, error);
        assert.equal(code, 1);
      });
    }
    await t.step("right inputs reach the network", async () => {
      const { error } = await run(folder, "fid", "A", "B", "--all", "--save-stats", "a.npz");
      assert.match(error, /^Inception: /);
      assert.ok(!Array.from(Deno.readDirSync(folder)).some(({ name }) => name.startsWith("a.npz")));
    });
  });
});

Deno.test("deno task fid prints the scores that are known when another one fails", async () => {
  await withTempDir(async (folder) => {
    const at = (name: string) => join(folder, name);
    // No covariance: its factorization fails.
    const broken = {
      count: null,
      mean: Float64Array.of(0, 0),
      covariance: Float64Array.of(-1, 0, 0, 1),
    };
    await Deno.writeFile(at("a.npz"), writeStatistics({ statistics: broken, origin: null }));
    await Deno.copyFile(at("a.npz"), at("b.npz"));
    const { code, out, error } = await run(folder, "fid", "a.npz", "b.npz", "--json");
    assert.equal(code, 1);
    assert.equal(JSON.parse(out).samples.name, "a.npz");
    assert.match(error, /^FID of a\.npz and b\.npz failed: /);
  });
});
