import assert from "node:assert/strict";
import { compare, compareSettings, describeChanges, parseBaseline } from "./baseline.ts";

const ROW = {
  experiment: "bivariate",
  sampler: "ld",
  metric: "kl",
  value: 0.002,
  exact: 0.001,
  error: 0.0005,
  low: null,
  high: 0.004,
  verdict: "pass",
} as const;
const baseline = parseBaseline(JSON.stringify({ schema: 2, seed: 0, settings: {}, rows: [ROW] }));

Deno.test("compare() names the metric, its value and its bound", () => {
  const options = { baseline, deviations: 6 };
  assert.deepEqual(compare([ROW], options), []);
  assert.deepEqual(compare([{ ...ROW, value: 0.005, verdict: "fail" }], options), [{
    text: "bivariate, ld: kl is 0.005, its bound is at most 0.004",
    names: { experiment: "bivariate", sampler: "ld", metric: "kl" },
    deviation: 8, // 0.004 above what independent draws have, of an error of 0.0005
  }]);
  // 6 sqrt(2) x 0.0005 = 0.00424 from the baseline is too far, even within a wide gate.
  const [drift] = compare([{ ...ROW, value: 0.0063, high: 1 }], options);
  assert.match(drift.text, /kl is 0\.0063, its baseline is 0\.002 ± 0\.004243/);
  assert.deepEqual(compare([{ ...ROW, value: 0.0062, high: 1 }], options), []);
  assert.match(compare([], options)[0].text, /was not measured/);
  assert.match(compare([{ ...ROW, metric: "new" }, ROW], options)[0].text, /not in the baseline/);
});

Deno.test("compare() names the rule behind a row", () => {
  const rules = new Map([["ld", "langevin"]]);
  const rows = [{ ...ROW, value: 0.005, verdict: "fail" } as const];
  const [failure] = compare(rows, { baseline, deviations: 6, rules });
  assert.match(failure.text, /^bivariate, ld \(rule langevin\): kl is 0\.005/);
});

Deno.test("compare() fails a value that is finite on one side alone", () => {
  const row = { ...ROW, value: null, verdict: "shown" } as const;
  assert.match(
    compare([row], { baseline, deviations: 6 })[0].text,
    /is not finite, its baseline is/,
  );
});

Deno.test("compareSettings() names each default that differs, is new, or is gone", () => {
  const before = { settings: { lebm_prior: { priorSteps: 60, priorStepSize: 0.08 } } };
  const rules = new Map([["lebm_prior", "langevin"]]);
  const same = compareSettings(before.settings, { baseline: before });
  assert.deepEqual(same, []);
  const retuned = { lebm_prior: { priorSteps: 60, priorStepSize: 0.088 } };
  const [failure, ...others] = compareSettings(retuned, { baseline: before, rules });
  assert.match(
    failure.text,
    /^lebm_prior \(rule langevin\): priorStepSize is 0\.088, its baseline is 0\.08/,
  );
  assert.deepEqual(others, []);
  const renamed = { lebm_prior: { steps: 60, priorStepSize: 0.08 } };
  assert.equal(compareSettings(renamed, { baseline: before }).length, 2);
  assert.equal(compareSettings({}, { baseline: before }).length, 2);
});

Deno.test("compare() fails a value that is not finite", () => {
  const row = { ...ROW, value: null, verdict: "fail" } as const;
  assert.match(compare([row], { baseline, deviations: 6 })[0].text, /not finite/);
});

Deno.test("describeChanges() shows what --update accepts", () => {
  assert.deepEqual(
    describeChanges(baseline.rows, [{ ...ROW, value: 0.003 }, { ...ROW, metric: "ess" }]),
    ["  bivariate, ld: kl 0.002 -> 0.003", "+ bivariate, ld: ess 0.002"],
  );
});

Deno.test("parseBaseline() says what is wrong and how to mend it", () => {
  assert.throws(() => parseBaseline("{"), /not JSON.*--update/);
  assert.throws(
    () => parseBaseline('{"schema": 2, "seed": 0, "settings": {}, "rows": [{}]}'),
    /rows\.0\.\w+.*--update/,
  );
});
