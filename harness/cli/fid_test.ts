import assert from "node:assert/strict";
import { join } from "node:path";
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
      ["missing file", 1, ["fid", "a.npz", "c.npz"], /^File not found: c\.npz$/],
      [
        "KID of statistics",
        1,
        ["fid", "a.npz", "b.npz", "--kid"],
        /KID needs the images of a\.npz/,
      ],
      ["images without Inception", 1, ["fid", ".", "b.npz"], /run deno task inception$/],
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
