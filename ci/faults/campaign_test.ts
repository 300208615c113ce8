import assert from "node:assert/strict";
import { campaignTable, runCampaign } from "./campaign.ts";
import { isSound, sumTallies } from "./tally.ts";

Deno.test("a small fault campaign loses no run, no record and no bit, and leaves no process", async () => {
  const lines: string[] = [];
  const tallies = await runCampaign({
    seed: 7,
    kills: 3,
    stride: 997,
    folders: false,
    log: (text) => lines.push(text),
  });
  const sum = sumTallies([...tallies.values()]);
  assert.ok(sum.faults > 100, campaignTable(tallies));
  assert.ok(isSound(sum), `${lines.join("\n")}\n${campaignTable(tallies)}`);
});
