import type { Block } from "../document/block.ts";
import type { ResultTable } from "../document/result_table.ts";

/** Settings and hyperparameters of the runs. */
export function settingsBlocks({ settings, hyper }: ResultTable): Block[] {
  const list = (facts: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(facts).map(([key, values]) => `${key} ${values.join(" or ") || "none"}`).join(
      ", ",
    );
  const methods = Object.entries(hyper).map(([method, facts]) => `${method}: ${list(facts)}`);
  return [
    { kind: "heading", text: "Settings" },
    { kind: "list", items: [`all: ${list(settings)}`, ...methods] },
  ];
}

/** How the runs ended, and where their numbers come from. */
export function provenanceBlocks({ provenance, runs, runList }: ResultTable): Block[] {
  const ended = Object.entries(runs).filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`);
  const counts = runList === null || runList.missing === 0
    ? ended
    : [...ended, `${runList.missing} of ${runList.asked} missing`];
  const facts = Object.entries(provenance).map(([key, values]) => `${key}: ${values.join("; ")}`);
  return [
    { kind: "heading", text: "Provenance" },
    { kind: "list", items: [`runs: ${counts.join(", ") || "none"}`, ...facts] },
  ];
}
