/**
 * Faults of folders: two sweeps in one, a folder that vanishes, one that becomes read-only, a full disk.
 *
 * @module
 */
import {
  compareSweeps,
  countOrphans,
  finishSweep,
  pause,
  runsIn,
  startSweep,
  sweepCommand,
} from "./sweeps.ts";
import { sumTallies, type Tally } from "./tally.ts";

/** Starts two sweeps in one folder at a time: one says who holds it, and the other ends as if alone. */
export async function twoSweeps(out: string, expected: string): Promise<Tally> {
  const endings = await Promise.all([startSweep(out), startSweep(out)].map(({ ended }) => ended));
  const refused = endings.filter(({ code }) => code === 1);
  if (refused.length !== 1 || !/ is in use by process \d+ on /.test(refused[0].lastLine)) {
    throw new Error(`Two sweeps in one folder: ${JSON.stringify(endings)}`);
  }
  return sumTallies([{ faults: 1 }, await compareSweeps(out, expected)]);
}

/** Removes the folder of a run, or of the sweep, while its runs train; then calls the sweep again. */
export async function vanishingFolder(
  out: string,
  { expected, whole }: { readonly expected: string; readonly whole: boolean },
): Promise<Tally> {
  const sweep = startSweep(out);
  while ((await runsIn(out)).length === 0) await pause(100);
  await pause(1500);
  const [run] = [...Deno.readDirSync(out)].filter(({ isDirectory }) => isDirectory);
  await removeWhileWritten(whole ? out : `${out}/${run.name}`);
  const { code, lastLine } = await sweep.ended;
  if (code === 0 && whole) throw new Error("A sweep whose folder is gone reports success");
  if (/^\s+at /.test(lastLine)) throw new Error(`A stack trace, not one line: ${lastLine}`);
  const orphans = await countOrphans(out);
  await finishSweep(out);
  return sumTallies([{ faults: 1, orphans }, await compareSweeps(out, expected)]);
}

/** Removes a folder into which a process writes. */
async function removeWhileWritten(path: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

/** Why no file system can be mounted here; undefined if one can. */
export async function whyNoMount(): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("unshare", {
      args: ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"],
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs the sweep on a tmpfs of `kilobytes`, which is too small, then again on a large one. */
export async function fullDisk(
  out: string,
  { expected, kilobytes }: { readonly expected: string; readonly kilobytes: number },
): Promise<Tally> {
  await onMount(
    out,
    `
mount -t tmpfs -o size=${kilobytes}k none /mnt
mkdir /mnt/out
sweep; [ $? -eq 1 ] || fail "a sweep on a full disk does not fail"`,
  );
  return sumTallies([{ faults: 1 }, await compareSweeps(out, expected)]);
}

/** Kills the sweep, makes its disk read-only, calls it, and calls it again on a writable disk. */
export async function readOnlyDisk(out: string, expected: string): Promise<Tally> {
  await onMount(
    out,
    `
mount -t tmpfs none /mnt
mkdir /mnt/out
sweep & shell=$!
until ls /mnt/out/*/epochs.jsonl > /dev/null 2>&1; do sleep 0.1; done
kill -KILL $(ps -o pid= --ppid $shell); wait
mount -o remount,ro /mnt 2> /dev/null || sleep 3
mount -o remount,ro /mnt || fail "still in use"
sweep; [ $? -eq 1 ] || fail "a sweep on a read-only disk does not fail"`,
  );
  return sumTallies([{ faults: 1 }, await compareSweeps(out, expected)]);
}

/**
 * Runs the shell commands `fault` in a mount namespace, where `sweep` is the sweep in /mnt/out; then the sweep again with a
 * large and writable /mnt; and copies what it wrote to `out`.
 */
async function onMount(out: string, fault: string): Promise<void> {
  const { path, args } = sweepCommand("/mnt/out");
  const command = [path, ...args].map((word) => `'${word}'`).join(" ");
  const script = `
fail() { echo "$*: $(tail -n 1 '${out}.err')" >&2; exit 9; }
sweep() { ${command} > /dev/null 2> '${out}.err'; }
${fault}
mount -o remount,rw,size=100m /mnt || fail "cannot be mounted again"
sweep || fail "the sweep fails on a sound disk"
cp -r /mnt/out '${out}'`;
  const { success, stderr } = await new Deno.Command("unshare", {
    args: ["-rm", "bash", "-c", script],
  }).output();
  if (!success) throw new Error(`A failing disk: ${new TextDecoder().decode(stderr).trim()}`);
}
