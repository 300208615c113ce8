/**
 * Feeds mutated files to every reader: none may crash, hang for more than a second, take more than 512 MB, or throw anything but
 * one clean error.
 *
 * `deno task test:fuzz`
 *
 * @module
 */
import * as z from "zod";
import { readNames, readOptions } from "../../harness/cli/arguments.ts";
import { parseCount } from "../../harness/core/arguments.ts";
import { readTextIfAny, replaceFile } from "../../harness/core/files.ts";
import { openLiveLine } from "../../harness/core/live_line.ts";
import { plainText } from "../../harness/core/plain_text.ts";
import { userPath } from "../../harness/core/project.ts";
import { markdownTable } from "../../reports/markdown.ts";
import { READERS } from "./readers.ts";

const HELP = `Usage: deno task test:fuzz [options]

Feeds mutated files to every reader. A fault is a crash, more than a second of processor time, more than 512 MB of memory, or an
error that is not one clean message. A second call goes on where the first stopped; input i of a reader is always the same.
Exit code 1 if a fault is known.

  --count N        inputs of each reader, those of earlier calls included (default 2000)
  --readers LIST   comma-separated (default all)
  --out FOLDER     where the state is kept (default runs/fuzz)
  --restart        forget earlier calls

Readers: ${Object.keys(READERS).join(", ")}
`;

/**
 * Seconds of processor time, and of all time for an input that waits, after which a process is killed. It measures the limit of
 * one second itself; its start takes more.
 */
const PROCESSOR_SECONDS = 10;
const WALL_SECONDS = 60;

const STATE = z.object({
  /** Inputs that were read. */
  done: z.int().min(0),
  /** Inputs that were accepted without an error. */
  accepted: z.int().min(0),
  faults: z.array(z.object({ index: z.int().min(0), what: z.string() })),
});

/** How far a reader was tested. */
type State = z.infer<typeof STATE>;

const options = readOptions(HELP, {
  count: { type: "string", default: "2000" },
  readers: { type: "string", default: Object.keys(READERS).join() },
  out: { type: "string", default: "runs/fuzz" },
  restart: { type: "boolean", default: false },
});
async function main(): Promise<void> {
  const count = parseCount(options.count, "--count");
  const names = readNames(options.readers, { kind: "reader", known: Object.keys(READERS) });
  const out = userPath(options.out);
  await Deno.mkdir(out, { recursive: true });
  const rows: string[][] = [];
  let faults = 0;
  for (const [place, name] of names.entries()) {
    const path = `${out}/${name}.json`;
    const state = options.restart ? undefined : await readState(path);
    const ended = await fuzz(name, {
      state: state ?? { done: 0, accepted: 0, faults: [] },
      count,
      label: `[${place + 1}/${names.length}] ${name}`,
      save: (now) => replaceFile(path, `${JSON.stringify(now, null, 2)}\n`),
    });
    faults += ended.faults.length;
    rows.push([name, `${ended.done}`, `${ended.accepted}`, `${ended.faults.length}`]);
    const kinds = Map.groupBy(
      ended.faults,
      ({ what }) => what.replaceAll(/\d+/g, "0").slice(0, 60),
    );
    for (const [{ index, what }, ...others] of kinds.values()) {
      const more = others.length === 0 ? "" : ` (and ${others.length} like it)`;
      console.log(plainText(`${name} input ${index}${more}: ${what}`));
    }
  }
  console.log(markdownTable(["Reader", "Inputs", "Accepted", "Faults"], rows));
  if (faults > 0) Deno.exitCode = 1;
}

async function readState(path: string): Promise<State | undefined> {
  const text = await readTextIfAny(path);
  return text === undefined ? undefined : STATE.parse(JSON.parse(text));
}

/** Lines of a process that reads inputs: the index of the one that it begins, how it ended, what went wrong. */
const LINE = z.union([
  z.object({ begin: z.int() }),
  z.object({ end: z.int(), accepted: z.boolean(), fault: z.string().nullable() }),
]);

/** Reads inputs of the reader `name` until `count` are done, in a new process after each that had to be killed. */
async function fuzz(
  name: string,
  { state, count, label, save }: {
    readonly state: State;
    readonly count: number;
    readonly label: string;
    save(state: State): Promise<void>;
  },
): Promise<State> {
  let now = state;
  let savedAt = performance.now();
  using line = openLiveLine();
  while (now.done < count) {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--allow-all", new URL("child.ts", import.meta.url).pathname],
        ...[name, `${now.done}`, `${count}`],
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const watch = watchTime(child);
    let begun: number | undefined;
    for await (const text of lines(child.stdout)) {
      const event = LINE.parse(JSON.parse(text));
      if ("begin" in event) {
        begun = event.begin;
        watch.restart();
        continue;
      }
      begun = undefined;
      watch.restart();
      now = {
        done: event.end + 1,
        accepted: now.accepted + (event.accepted ? 1 : 0),
        faults: event.fault === null
          ? now.faults
          : [...now.faults, { index: event.end, what: event.fault }],
      };
      if (performance.now() - savedAt > 2000) {
        await save(now);
        savedAt = performance.now();
        line.show(`${label}: ${now.done} of ${count} inputs, ${now.faults.length} faults`);
      }
    }
    const killed = watch.stop();
    const { code, signal } = await child.status;
    if (begun !== undefined) {
      const what = killed ?? `the process ended with ${signal ?? `exit code ${code}`}`;
      now = { ...now, done: begun + 1, faults: [...now.faults, { index: begun, what }] };
    } else if (now.done < count) {
      throw new Error(`The process of ${name} ended with ${signal ?? code} between two inputs`);
    }
  }
  await save(now);
  return now;
}

/** Kills `child` when an input takes too long; `stop` returns the reason if that happened. */
function watchTime(child: Deno.ChildProcess) {
  let begun = { wall: performance.now(), cpu: cpuSeconds(child.pid) };
  let reason: string | undefined;
  const timer = setInterval(() => {
    const cpu = cpuSeconds(child.pid) - begun.cpu;
    const wall = (performance.now() - begun.wall) / 1000;
    if (cpu <= PROCESSOR_SECONDS && wall <= WALL_SECONDS) return;
    reason = `no end after ${cpu.toFixed(1)} s of processor time, ${wall.toFixed(1)} s in all`;
    try {
      child.kill("SIGKILL");
    } catch { /* it has just ended */ }
  }, 100);
  return {
    restart: () => void (begun = { wall: performance.now(), cpu: cpuSeconds(child.pid) }),
    stop() {
      clearInterval(timer);
      return reason;
    },
  };
}

/** Processor time of a process in seconds, 0 if it has ended or the system is not Linux. */
function cpuSeconds(pid: number): number {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100; // utime and stime, in ticks
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return 0;
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

await main();
