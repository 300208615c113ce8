import assert from "node:assert/strict";
import {
  formatRevision,
  parseRevision,
  pinnedVersions,
  readProvenance,
  readRevision,
} from "./provenance.ts";
import { TINY_METRIC } from "../testing/tiny.ts";
import type { Metric } from "../core/types.ts";

Deno.test("pinnedVersions() reads the import map", () => {
  assert.deepEqual(
    pinnedVersions({
      "@tensorflow/tfjs": "npm:@tensorflow/tfjs@4.22.0",
      sharp: "npm:sharp@0.35.5",
      local: "./local.ts",
    }),
    { "@tensorflow/tfjs": "4.22.0", sharp: "0.35.5" },
  );
});

Deno.test("readProvenance() records what the numbers depend on", async () => {
  const revision = await readRevision();
  const provenance = await readProvenance({
    revision,
    device: "a device",
    datasetSha256: "dd",
    metrics: [
      TINY_METRIC as Metric,
      { ...TINY_METRIC, name: "bare", sha256: undefined, settings: { mode: "tf" } } as Metric,
    ],
    jobs: 2,
  });
  const { commit, dirty, lockSha256, versions, metricSha256, metricSettings, cores, jobs } =
    provenance;
  assert.match(lockSha256, /^[0-9a-f]{64}$/);
  assert.equal(versions.deno, Deno.version.deno);
  assert.match(versions["onnxruntime-node"], /^\d+\.\d+\.\d+$/);
  assert.deepEqual(metricSha256, { gap: TINY_METRIC.sha256 });
  assert.deepEqual(metricSettings, { bare: { mode: "tf" } });
  assert.ok(cores >= 1);
  assert.equal(jobs, 2);
  // Outside a repository, as in an unpacked archive, both are null.
  if (commit === null) assert.equal(dirty, null);
  else assert.match(commit, /^[0-9a-f]{40}$/);
});

Deno.test("parseRevision() inverts formatRevision(), and refuses other text", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  for (const dirty of [true, false]) {
    assert.deepEqual(parseRevision(formatRevision({ commit, dirty })), { commit, dirty });
  }
  const unknown = { commit: null, dirty: null };
  assert.deepEqual(parseRevision(formatRevision(unknown)), unknown);
  assert.throws(() => parseRevision("main"), /--revision must be .*, got "main"/);
});
