/**
 * A clock that steps back while runs train. Debian's library libfaketime, loaded before the programs, gives them the time of day
 * that a file says.
 *
 * @module
 */
import { ifThere } from "../../harness/core/files.ts";
import { CHECKPOINT_FILE } from "../../harness/run/checkpoint_files.ts";
import { readResults } from "../../harness/sweep/store.ts";
import { compareSweeps, finishSweep, killIfThere, pause, runsIn, startSweep } from "./sweeps.ts";
import { sumTallies, type Tally } from "./tally.ts";

/** The library of Debian's package, without the folder of the processor's architecture. */
const LIBRARY = "faketime/libfaketimeMT.so.1";

/** The path of the library; undefined if it is not installed. */
export async function findFakeClock(): Promise<string | undefined> {
  const list = async () => {
    for await (const { name } of Deno.readDir("/usr/lib")) {
      const path = `/usr/lib/${name}/${LIBRARY}`;
      if (await ifThere(Deno.stat(path))) return path;
    }
  };
  return await ifThere(list());
}

/** Seconds in which a run that saves a checkpoint after each step must have saved one more, on a busy machine too. */
const PATIENCE = 300;

/**
 * Sets the clock back by two hours once a run has a checkpoint; waits for the next one; kills the sweep and its runs; sets the
 * clock back by another hour, and calls the sweep again.
 */
export async function steppingClock(
  out: string,
  { expected, library }: { readonly expected: string; readonly library: string },
): Promise<Tally> {
  const clock = `${out}.clock`;
  const set = (offset: string) => Deno.writeTextFile(clock, `${offset}\n`);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1", // only the time of day steps, as on a real machine
    NO_FAKE_STAT: "1",
  };
  await set("+0");
  const sweep = startSweep(out, env);
  let hasEnded = false;
  sweep.ended.then(() => hasEnded = true);
  const first = await nextCheckpoint(out, "", () => hasEnded);
  await set("-2h");
  await nextCheckpoint(out, first, () => hasEnded);
  for (const pid of [sweep.pid, ...await runsIn(out)]) killIfThere(pid);
  await sweep.ended;
  await set("-3h");
  await finishSweep(out, env);
  const { records } = await readResults(out);
  const negative = records.filter(({ seconds, epochs }) =>
    [...Object.values(seconds), ...epochs.map((epoch) => epoch.seconds)].some((value) => value < 0)
  );
  return sumTallies([
    { faults: 2, different: negative.length },
    await compareSweeps(out, expected),
  ]);
}

/** The state of the checkpoints in `out` once it is another than `before`. Throws Error if it stays. */
async function nextCheckpoint(
  out: string,
  before: string,
  hasEnded: () => boolean,
): Promise<string> {
  const end = performance.now() + 1000 * PATIENCE;
  while (performance.now() < end && !hasEnded()) {
    const now = await checkpointsIn(out);
    if (now !== before) return now;
    await pause(20);
  }
  const why = hasEnded() ? "the sweep ended" : `none for ${PATIENCE} s`;
  throw new Error(`No new checkpoint in ${out} after a step of the clock: ${why}`);
}

/** Which files the newest checkpoints of the runs in `out` are, as text. */
async function checkpointsIn(out: string): Promise<string> {
  const list = async () => {
    const files: string[] = [];
    for await (const { name } of Deno.readDir(out)) {
      const info = await ifThere(Deno.stat(`${out}/${name}/${CHECKPOINT_FILE}`));
      if (info) files.push(`${name} ${info.ino} ${info.mtime?.getTime()}`);
    }
    return files.toSorted().join();
  };
  return await ifThere(list()) ?? "";
}
