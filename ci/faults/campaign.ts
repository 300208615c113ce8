/**
 * Injects faults into sweeps of tiny runs and counts what is lost.
 *
 * `deno task test:faults`
 *
 * @module
 */
import { readCounts, readOptions } from "../../harness/cli/arguments.ts";
import { fail } from "../../harness/cli/programs.ts";
import { keyOf, words } from "../../harness/core/noise.ts";
import { markdownTable } from "../../reports/markdown.ts";
import { findFakeClock, steppingClock } from "./clock.ts";
import { flipBits, flipRecordBits, resumeFromDamage, tearResults } from "./bytes.ts";
import { fullDisk, readOnlyDisk, twoSweeps, vanishingFolder, whyNoMount } from "./folders.ts";
import { injectKills } from "./kills.ts";
import { canListProcesses, finishSweep } from "./sweeps.ts";
import { isSound, sumTallies, type Tally } from "./tally.ts";

/** Size of a campaign. */
export interface CampaignOptions {
  readonly seed: number;
  readonly kills: number;
  /** Every so many bytes of a file are damaged, one at a time. */
  readonly stride: number;
  /** Whether folders vanish, disks fail and a clock steps back, too. */
  readonly folders: boolean;
  log(text: string): void;
}

/** Injects the faults and resolves to the counts by kind of fault, in order. */
export async function runCampaign(
  { seed, kills, stride, folders, log }: CampaignOptions,
): Promise<ReadonlyMap<string, Tally>> {
  let drawn = 0;
  const random = () => words(keyOf(seed), drawn++, 1)[0] / 2 ** 32;
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "laebench_faults_" }));
  const tallies = new Map<string, Tally>();
  const inject = async (name: string, fault: () => Promise<Tally>) => {
    log(name);
    tallies.set(name, await fault());
  };
  try {
    const expected = `${root}/undisturbed`;
    const start = performance.now();
    log("an undisturbed sweep");
    await finishSweep(expected);
    const seconds = (performance.now() - start) / 1000;
    await inject(
      "kill -9 of sweep and runs, of the sweep, of a run",
      () => injectKills({ count: kills, root, expected, seconds, random, log }),
    );
    await inject("two sweeps in one folder", () => twoSweeps(`${root}/two`, expected));
    await inject(
      "a flipped bit of a checkpoint, loaded",
      () => flipBits(`${root}/flipped`, { expected, stride }),
    );
    await inject(
      "a flipped bit of a checkpoint, resumed",
      () => resumeFromDamage(`${root}/damaged`, { expected, random }),
    );
    await inject(
      "a flipped bit of results.jsonl, of a record",
      () => flipRecordBits(`${root}/flipped_records`, { expected, stride }),
    );
    await inject(
      "results torn, with NUL bytes, with garbage",
      () => tearResults(`${root}/torn`, { expected, stride }),
    );
    if (!folders) return tallies;
    const library = await findFakeClock();
    if (library === undefined) log("No clock steps back: apt-get install faketime");
    else {
      await inject(
        "a clock steps back by two hours, then one",
        () => steppingClock(`${root}/clock`, { expected, library }),
      );
    }
    await inject(
      "the folder of a run vanishes",
      () => vanishingFolder(`${root}/gone_run`, { expected, whole: false }),
    );
    await inject(
      "the folder of the sweep vanishes",
      () => vanishingFolder(`${root}/gone`, { expected, whole: true }),
    );
    const why = await whyNoMount();
    if (why !== undefined) log(`No disk fails, as none can be mounted: ${why}`);
    else {
      for (const kilobytes of [64, 256, 512]) {
        await inject(
          `a disk of ${kilobytes} kB is full`,
          () => fullDisk(`${root}/full_${kilobytes}`, { expected, kilobytes }),
        );
      }
      await inject("a disk is read-only", () => readOnlyDisk(`${root}/read_only`, expected));
    }
    return tallies;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const HELP = `Usage: deno task test:faults [options]

Runs sweeps of tiny runs, kills them, fills and removes their disks, damages their files, calls them again, and compares every
record and weight with those of an undisturbed sweep. Exit code 1 if anything is lost. Needs ps; disks fail where unshare can
mount one, and clocks step back where Debian's package faketime is installed.

  --kills N    processes killed at random moments (default 50, about ten seconds each)
  --stride N   damage every Nth byte of a file, one at a time (default 1)
  --seed N     of the random moments (default 1)
`;

/** Heads of the columns of counts. */
const COLUMNS: Readonly<Record<keyof Tally, string>> = {
  faults: "faults",
  runsLost: "runs lost",
  recordsLost: "records lost",
  duplicates: "records twice",
  different: "bits different",
  orphans: "orphans left",
};

/** The counts as a table, with their sum. */
export function campaignTable(tallies: ReadonlyMap<string, Tally>): string {
  const names = Object.keys(COLUMNS) as (keyof Tally)[];
  const rows = [...tallies, ["all", sumTallies([...tallies.values()])] as const];
  return markdownTable(
    ["Fault", ...names.map((name) => COLUMNS[name])],
    rows.map(([fault, tally]) => [fault, ...names.map((name) => `${tally[name]}`)]),
  );
}

if (import.meta.main) {
  const { kills, stride, seed } = readOptions(HELP, {
    kills: { type: "string", default: "50" },
    stride: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
  });
  if (!await canListProcesses()) fail("The campaign needs ps: install procps", 1);
  const start = performance.now();
  const log = (text: string) =>
    console.error(`${((performance.now() - start) / 60_000).toFixed(1)} min: ${text}`);
  const tallies = await runCampaign({ ...readCounts({ kills, stride, seed }), folders: true, log });
  console.log(campaignTable(tallies));
  if (!isSound(sumTallies([...tallies.values()]))) Deno.exitCode = 1;
}
