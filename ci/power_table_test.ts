import assert from "node:assert/strict";
import { changeTable, powerTable, survivals } from "./power_table.ts";

const mutation = { name: "drift x 1.1", of: "langevin", file: "f", find: "", replace: "" };
const failure = (
  experiment: string,
  metric: string,
  { deviation, sampler = "ld" }: { readonly deviation?: number; readonly sampler?: string } = {},
) => ({ text: "", names: { experiment, sampler, metric }, deviation });
const outcomes = [{
  mutation,
  runsOn: ["bivariate", "neural", "flat"],
  failures: [
    failure("bivariate", "kl", { deviation: 7 }),
    failure("bivariate", "energy", { deviation: 12.4 }),
    failure("bivariate", "noise", { deviation: 99, sampler: "ld_moves" }),
    failure("neural", "modes_missed"),
    { text: "a hyperparameter" },
  ],
}];

Deno.test("powerTable() has what is furthest off on each target, among samples and among moves", () => {
  const table = powerTable(outcomes, ["bivariate", "neural", "flat", "ring"]).replaceAll(
    / +/g,
    " ",
  );
  const row =
    "| langevin | drift x 1.1 | ld energy 12 σ; ld_moves noise 99 σ | ld modes_missed | SURVIVED | – |";
  assert.ok(table.includes(row), table);
});

Deno.test("changeTable() has what is furthest off anywhere, and the refused setting", () => {
  const table = changeTable([...outcomes, { mutation, runsOn: [], failures: [] }]);
  assert.match(table, /\| ld_moves noise 99 σ; setting +\|\n.*\| SURVIVED +\|/);
});

Deno.test("survivals() are the targets on which nothing failed", () => {
  assert.deepEqual(survivals(outcomes, ["bivariate", "neural"]), []);
  assert.deepEqual(survivals(outcomes, ["ring"]), []); // nothing runs there
  assert.deepEqual(survivals(outcomes, ["flat"]), [{ mutation, target: "flat" }]);
});
