import assert from "node:assert/strict";
import { withTempDir } from "../testing/temp_dir.ts";
import { RUN_RECORD } from "../experiment/record_schema.ts";
import { resolveRuns, runId } from "../experiment/spec.ts";
import { RECORD_FILE } from "./record_file.ts";
import { describeDeath, type Job, sweep, type SweepOptions } from "./sweep.ts";
import { TINY_EXPERIMENT, TINY_TABLES, tinyRecord } from "../testing/tiny.ts";
import type { RunRecord } from "../core/records.ts";

/** A process that does as the note in its spec says; $1 is the job's folder, $2 a completed record. */
const CHILDREN: Readonly<Record<string, string>> = {
  completes: `
    echo '{"event":"phase","phase":"train"}'
    echo 'native chatter'
    echo '{"event":"epoch","record":{"epoch":0,"seconds":2,"warmup":true,"steps":4,"metrics":{}}}'
    printf '%s' "$2" > "$1/${RECORD_FILE}"`,
  fails: `echo 'first' >&2; echo 'No space left' >&2; exit 3`,
  crashes: `kill -SEGV $$`,
  crashesOnce: `
    if [ -e "$1/tried" ]; then printf '%s' "$2" > "$1/${RECORD_FILE}"; exit; fi
    touch "$1/tried"; echo 'corrupted size' >&2; kill -ABRT $$`,
  saves: `exit 75`,
  stubborn: `
    trap '' TERM
    echo '{"event":"phase","phase":"train"}'
    while true; do sleep 0.1; done`,
  waits: `
    echo '{"event":"epoch","record":{"epoch":0,"seconds":2,"warmup":true,"steps":4,"metrics":{}}}'
    exec sleep 60`,
  interrupted: `kill -INT $$; sleep 60`,
  tells: `sleep 0.1; echo "gpu $GPU" >&2; exit 1`,
};

async function runSweep(
  notes: readonly (keyof typeof CHILDREN)[],
  options: Partial<SweepOptions> = {},
): Promise<{ records: RunRecord[]; events: string[] }> {
  return await withTempDir(async (root) => {
    const jobs = notes.map((note, seed): Job => {
      const experiment = { ...TINY_EXPERIMENT, seeds: [seed], hyper: { tiny: { note } } };
      const [spec] = resolveRuns(experiment, TINY_TABLES);
      const dir = `${root}/${seed}`;
      Deno.mkdirSync(dir);
      return { id: runId(spec), spec, experiment: "tiny", dir };
    });
    const records: RunRecord[] = [];
    const events: string[] = [];
    await sweep(jobs, {
      jobs: 1,
      signal: new AbortController().signal,
      command: (job) => ({
        path: "bash",
        args: ["-c", CHILDREN[String(job.spec.hyper.note)], "child", job.dir, completed(job)],
      }),
      onEvent: (_job, { event }) => events.push(event),
      onRecord: (_job, record) => Promise.resolve(void records.push(record)),
      ...options,
    });
    return { records, events };
  });
}

function completed({ spec }: Job): string {
  const record: RunRecord = {
    ...tinyRecord(spec),
    status: "completed",
    scores: {},
    untrained: {},
  };
  return JSON.stringify(record);
}

Deno.test("sweep() records a failure and a native crash, and continues", async () => {
  const { records, events } = await runSweep(["completes", "fails", "crashes", "completes"]);
  assert.deepEqual(records.map(({ status }) => status), [
    "completed",
    "failed",
    "failed",
    "completed",
  ]);
  const errors = records.map((record) => record.status === "failed" ? record.error : "");
  assert.equal(
    errors[1],
    "The process of the run ended with exit code 3 and no record: No space left",
  );
  assert.match(errors[2], /^The process of the run was killed by SIGSEGV/);
  assert.deepEqual(events, ["phase", "epoch", "warning", "phase", "epoch"]);
});

Deno.test("sweep() starts a run once more after a native crash, and its record tells of it", async () => {
  const { records } = await runSweep(["crashesOnce", "crashes", "fails"]);
  assert.deepEqual(records.map(({ status }) => status), ["completed", "failed", "failed"]);
  const crash = "The process of the run was killed by SIGABRT: corrupted size";
  assert.deepEqual(records.map(({ crashes }) => crashes?.length), [1, 1, undefined]);
  assert.equal(records[0].crashes?.[0], crash);
  for (const record of records) assert.deepEqual(RUN_RECORD.parse(record), record);
});

Deno.test("sweep() takes a run that saved a checkpoint on request for interrupted, not failed", async () => {
  const { records } = await runSweep(["saves", "completes"]);
  assert.deepEqual(records.map(({ status }) => status), ["interrupted"]);
});

Deno.test("sweep() kills a run that does not end within the grace, and at once if asked", async () => {
  for (const urgent of [false, true]) {
    const [stop, kill] = [new AbortController(), new AbortController()];
    const start = performance.now();
    const { records } = await runSweep(["stubborn", "completes"], {
      signal: stop.signal,
      kill: kill.signal,
      grace: () => urgent ? 60_000 : 100,
      onEvent() {
        stop.abort();
        if (urgent) kill.abort();
      },
    });
    assert.deepEqual(records.map(({ status }) => status), ["interrupted"]);
    assert.ok(performance.now() - start < 30_000, "it is not waited for");
  }
});

Deno.test("sweep() records the epochs of an interrupted job and starts no other", async () => {
  const controller = new AbortController();
  const start = performance.now();
  const { records } = await runSweep(["waits", "completes"], {
    signal: controller.signal,
    onEvent: () => controller.abort(),
  });
  assert.deepEqual(records.map(({ status }) => status), ["interrupted"]);
  assert.ok(performance.now() - start < 30_000, "the process is ended, not waited for");
  assert.equal(records[0].epochs.length, 1);
  assert.equal(records[0].seconds.train, 2);
});

Deno.test("sweep() starts nothing after an interruption between two jobs", async () => {
  const controller = new AbortController();
  const ids: string[] = [];
  await runSweep(["completes", "completes"], {
    signal: controller.signal,
    onRecord: (_job, { id }) => {
      controller.abort();
      return Promise.resolve(void ids.push(id));
    },
  });
  assert.equal(ids.length, 1);
});

Deno.test("sweep() treats Ctrl-C that reached the child first as an interruption", async () => {
  const { records } = await runSweep(["interrupted", "completes"]);
  assert.deepEqual(records.map(({ status }) => status), ["interrupted"]);
});

Deno.test("sweep() runs each job once, with the requested parallelism", async () => {
  for (const jobs of [1, 3]) {
    let running = 0;
    let most = 0;
    const ids: string[] = [];
    await runSweep(["completes", "fails", "completes", "crashes"], {
      jobs,
      onStart: () => most = Math.max(most, ++running),
      onRecord: (_job, record) => {
        running--;
        ids.push(record.id);
        return Promise.resolve();
      },
    });
    assert.equal(ids.length, 4);
    assert.equal(new Set(ids).size, 4);
    assert.equal(most, jobs);
  }
});

Deno.test("sweep() gives each process the environment of its slot, and never shares a slot", async () => {
  const taken = new Set<number>();
  const slots = new Map<string, number>();
  const seen: string[] = [];
  await runSweep(["tells", "tells", "tells", "tells", "tells"], {
    jobs: 2,
    command: (job, slot) => {
      assert.ok(!taken.has(slot), `slot ${slot} is taken`);
      taken.add(slot);
      slots.set(job.id, slot);
      return { path: "bash", args: ["-c", CHILDREN.tells], env: { GPU: `c${slot}` } };
    },
    onRecord: (_job, record) => {
      const slot = slots.get(record.id) ?? NaN;
      taken.delete(slot);
      seen.push(`${slot}: ${record.status === "failed" ? record.error : record.status}`);
      return Promise.resolve();
    },
  });
  assert.equal(seen.length, 5);
  assert.deepEqual([...new Set(seen)].sort(), ["0: gpu c0", "1: gpu c1"]);
});

Deno.test("describeDeath() names the signal, and memory for SIGKILL", () => {
  const status = { success: false, code: 137, signal: "SIGKILL" } as const;
  assert.equal(
    describeDeath(status, ""),
    "The process of the run was killed by SIGKILL, as happens when memory runs out",
  );
  assert.equal(
    describeDeath({ success: false, code: 1, signal: null }, "noise\nNo such file: x\n"),
    "No such file: x",
  );
});
