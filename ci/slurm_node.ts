/**
 * A real Slurm of one node for tests: munged, slurmctld and slurmd of Debian's packages, on loopback, as root, without systemd.
 *
 * @module
 */

/** Programs that must be there. */
const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"];

/** A running Slurm with the partitions `main` and `urgent`; jobs of `urgent` preempt those of `main`, which are requeued. */
export interface SlurmNode extends AsyncDisposable {
  /** Environment variables of a process that uses it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Why this machine cannot run a Slurm of its own; undefined if it can. */
export async function whyNoSlurm(): Promise<string | undefined> {
  const absent: string[] = [];
  for (const name of PROGRAMS) {
    const { success } = await new Deno.Command("which", { args: [name], stdout: "null" }).output();
    if (!success) absent.push(name);
  }
  if (absent.length > 0) {
    return `${absent.join(", ")} not found: apt-get install slurm-wlm munge`;
  }
  return Deno.uid() === 0 ? undefined : "Slurm's daemons must be started by root here";
}

/** Starts Slurm with its files in the empty folder `dir`. Throws Error with the log of a daemon that does not come up. */
export async function startSlurm(dir: string): Promise<SlurmNode> {
  const host = (await run("hostname", ["-s"])).trim();
  for (const name of ["state", "spool", "log", "run", "munge"]) await Deno.mkdir(`${dir}/${name}`);
  await Deno.chmod(`${dir}/munge`, 0o700); // munged trusts no folder in which others may write
  const key = `${dir}/munge/munge.key`;
  await Deno.writeFile(key, crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 });
  await run("munged", [
    `--socket=${dir}/run/munge.socket`,
    `--key-file=${key}`,
    `--pid-file=${dir}/run/munged.pid`,
    `--log-file=${dir}/log/munged.log`,
    `--seed-file=${dir}/munge/munge.seed`,
    "--force",
  ]);
  const facts = new Map(
    (await run("slurmd", ["-C"])).split(/\s+/).map((word) => word.split("=") as [string, string]),
  );
  const [controller, node] = freePorts();
  await Deno.writeTextFile(
    `${dir}/slurm.conf`,
    configuration({
      dir,
      host,
      ports: [controller, node],
      cpus: facts.get("CPUs") ?? "1",
      memory: facts.get("RealMemory") ?? "1000",
    }),
  );
  await Deno.writeTextFile(`${dir}/cgroup.conf`, "CgroupPlugin=cgroup/v1\n");
  const env = { SLURM_CONF: `${dir}/slurm.conf` };
  const stop = async () => {
    for (const name of ["slurmd", "slurmctld", "munged"]) {
      await stopDaemon(`${dir}/run/${name}.pid`);
    }
  };
  try {
    await run("slurmctld", ["-i"], env);
    await run("slurmd", [], env);
    await until(async () => (await run("sinfo", ["-h", "-o", "%T"], env)).includes("idle"));
  } catch (error) {
    await stop();
    const log = await Deno.readTextFile(`${dir}/log/slurmctld.log`).catch(() => "");
    throw new Error(`Slurm does not come up: ${(error as Error).message}\n${log.slice(-2000)}`);
  }
  return { env, [Symbol.asyncDispose]: stop };
}

function configuration(
  { dir, host, ports: [controller, node], cpus, memory }: {
    readonly dir: string;
    readonly host: string;
    readonly ports: readonly [number, number];
    readonly cpus: string;
    readonly memory: string;
  },
): string {
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits for the end of its credential, two minutes by default.
AuthInfo=socket=${dir}/run/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/spool
SlurmctldPidFile=${dir}/run/slurmctld.pid
SlurmdPidFile=${dir}/run/slurmd.pid
SlurmctldLogFile=${dir}/log/slurmctld.log
SlurmdLogFile=${dir}/log/slurmd.log
# Nothing that needs systemd, control groups or a database.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus} CoresPerSocket=${cpus} RealMemory=${memory} State=UNKNOWN
PartitionName=main Nodes=${host} Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=${host} PriorityTier=10 MaxTime=INFINITE State=UP
`;
}

/** Two ports of this machine that nobody listens on. */
function freePorts(): [number, number] {
  const listeners = [0, 0].map((port) => Deno.listen({ hostname: "127.0.0.1", port }));
  const [a, b] = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return [a, b];
}

/** Runs a program, until `signal` ends it; resolves to its standard output. Throws Error with its standard error if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env,
    signal,
  })
    .output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${program} ended with ${code}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Waits until `holds` resolves to true. Throws Error after `seconds`. */
export async function until(holds: () => Promise<boolean>, seconds = 20): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`nothing happened for ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Ends the daemon whose process id is in the file at `path`, and waits for its end. */
async function stopDaemon(path: string): Promise<void> {
  const pid = Number(await Deno.readTextFile(path).catch(() => "0"));
  if (!(pid > 0)) return;
  /** Sends a signal, 0 to send none; false if the process has ended. */
  const signal = async (name: string) => {
    const { success } = await new Deno.Command("kill", { args: [`-${name}`, `${pid}`] }).output();
    return success;
  };
  await signal("TERM");
  await until(async () => !await signal("0"), 10).catch(() => signal("KILL"));
}
