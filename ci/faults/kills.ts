/**
 * kill -9 at random moments: of a sweep with its runs, of the sweep alone, of a run.
 *
 * @module
 */
import {
  compareSweeps,
  countOrphans,
  finishSweep,
  killIfThere,
  pause,
  runsIn,
  startSweep,
} from "./sweeps.ts";
import { sumTallies, type Tally } from "./tally.ts";

/** The processes that a kill hits. */
const TARGETS = ["tree", "parent", "child"] as const;

/** Kills on one folder before its sweep is left to end. */
const KILLS_A_SWEEP = 3;

/** Injects `count` kills. `seconds` is how long an undisturbed sweep takes; `random` gives numbers in [0, 1). */
export async function injectKills(
  { count, root, expected, seconds, random, log }: {
    readonly count: number;
    readonly root: string;
    readonly expected: string;
    readonly seconds: number;
    random(): number;
    log(text: string): void;
  },
): Promise<Tally> {
  const tallies: Partial<Tally>[] = [];
  let faults = 0;
  for (let folder = 0; faults < count; folder++) {
    const out = `${root}/killed_${folder}`;
    for (let i = 0; i < KILLS_A_SWEEP && faults < count; i++) {
      const target = TARGETS[(faults + folder) % TARGETS.length];
      const sweep = startSweep(out);
      const wait = seconds * random();
      const early = await Promise.race([sweep.ended, pause(1000 * wait)]);
      if (early) {
        if (early.code !== 0) throw new Error(`The sweep in ${out} failed: ${early.lastLine}`);
        break; // it ended before the kill
      }
      const children = await runsIn(out);
      const [victim] = children;
      if (target === "child" && victim === undefined) {
        await sweep.ended; // between two phases: nothing to kill
        continue;
      }
      if (target === "child") killIfThere(victim);
      else for (const pid of [sweep.pid, ...target === "tree" ? children : []]) killIfThere(pid);
      faults++;
      const ending = await sweep.ended;
      if (target === "child" && ending.code !== 0) {
        log(`a killed run ended its sweep with exit code ${ending.code}: ${ending.lastLine}`);
      }
      const orphans = target === "child" ? 0 : await countOrphans(out);
      tallies.push({ faults: 1, orphans });
      log(`kill ${faults} of ${count}: ${target}, after ${wait.toFixed(1)} s`);
    }
    await finishSweep(out);
    tallies.push(await compareSweeps(out, expected));
    await Deno.remove(out, { recursive: true });
  }
  return sumTallies(tallies);
}
