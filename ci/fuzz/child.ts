/**
 * Reads inputs of one reader and reports each on standard output, in a process that may crash: `child.ts READER FIRST END`.
 *
 * @module
 */
import process from "node:process";
import { judgeError } from "./clean_error.ts";
import { mutatedInput } from "./mutate.ts";
import { READERS } from "./readers.ts";

/** Limits of one input: seconds of processor time, and bytes of memory beyond those of the process before. */
const TIME_LIMIT = 1;
const MEMORY_LIMIT = 512 * 2 ** 20;

const [name, first, end] = Deno.args;
const reader = READERS[name];
const seeds = await reader.seeds();
const folder = await Deno.makeTempDir();

let { resident } = readMemory();
for (let index = Number(first); index < Number(end); index++) {
  const bytes = mutatedInput(seeds, { name, index });
  if (index >= seeds.length) reader.repair?.(bytes);
  tell({ begin: index });
  resetPeak();
  const before = { cpu: process.cpuUsage(), resident };
  let fault: string | null = null;
  let accepted = true;
  try {
    await reader.read(bytes, folder);
  } catch (error) {
    accepted = false;
    fault = judgeError(error);
  }
  const { user, system } = process.cpuUsage(before.cpu);
  const seconds = (user + system) / 1e6;
  const memory = readMemory();
  resident = memory.resident;
  const used = memory.peak - before.resident;
  if (seconds > TIME_LIMIT) fault = `${seconds.toFixed(1)} s of processor time`;
  if (used > MEMORY_LIMIT) fault = `${(used / 2 ** 20).toFixed(0)} MB of memory`;
  tell({ end: index, accepted, fault });
}
await Deno.remove(folder, { recursive: true });

function tell(event: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(event)}\n`));
}

/** Makes the system measure the peak of this process's memory anew. */
function resetPeak(): void {
  if (Deno.build.os === "linux") Deno.writeTextFileSync("/proc/self/clear_refs", "5");
}

/** Memory of this process and its peak, in bytes; 0 on systems other than Linux, where memory is not measured. */
function readMemory(): { readonly resident: number; readonly peak: number } {
  if (Deno.build.os !== "linux") return { resident: 0, peak: 0 };
  const status = Deno.readTextFileSync("/proc/self/status");
  const [peak, resident] = ["VmHWM", "VmRSS"].map((field) =>
    1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status)?.[1])
  );
  return { resident, peak };
}
