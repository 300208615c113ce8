/**
 * Starts a process with the permissions of each task of deno.json, and lets it try what most tasks must not do: each attempt is
 * refused, or it is among the grants of the task, with the reason. docs/survival.md shows the same table.
 *
 * @module
 */
import assert from "node:assert/strict";
import { homedir } from "node:os";
import { FILE_SOURCES } from "../datasets/install.ts";
import { projectPath } from "../harness/core/project.ts";
import { PUBLISHED_WEIGHTS } from "../harness/metrics/fid/weights.ts";
import { withTempDir } from "../harness/testing/temp_dir.ts";

/** Attempts by name. `PROJECT`, `HOME` and `DENO` stand for paths. None changes anything where it is allowed. */
const ATTEMPTS = {
  "connect to a port": `await Deno.connect({ hostname: "127.0.0.1", port: 1 })`,
  "listen on a port": `Deno.listen({ port: 0 }).close()`,
  "run deno": `await new Deno.Command("DENO", { args: ["--version"] }).output()`,
  "run git": `await new Deno.Command("git", { args: ["--version"] }).output()`,
  "run a shell": `await new Deno.Command("sh", { args: ["-c", "true"] }).output()`,
  "signal a process": `Deno.kill(Deno.ppid, "SIGURG")`,
  "read the system's files": `await Deno.readTextFile("/etc/passwd")`,
  "list the home folder": `Deno.readDirSync("HOME")`,
  "write into the project": `(await Deno.open("PROJECTdeno.json", { append: true })).close()`,
  "write elsewhere": `(await Deno.open("/etc/hosts", { append: true })).close()`,
  "read any variable": `Deno.env.get("AWS_SECRET_ACCESS_KEY")`,
  "ask who the user is": `Deno.uid()`,
  "load the C library": `Deno.dlopen("libc.so.6", {}).close()`,
} as const;

type Attempt = keyof typeof ATTEMPTS;

/** Attempts that a task may succeed with, and why. */
interface Grant {
  readonly attempts: readonly Attempt[];
  readonly reason: string;
}

const READ: Grant = {
  attempts: ["read the system's files", "list the home folder"],
  reason: "the user names files and folders anywhere",
};
const WRITE: Grant = {
  attempts: ["write into the project", "write elsewhere"],
  reason: "the user names a folder or file anywhere for the output",
};
const DENO: Grant = { attempts: ["run deno"], reason: "parts of the work are processes" };
const GIT: Grant = { attempts: ["run git"], reason: "records hold the commit" };
const VENDOR: Grant = {
  attempts: ["read any variable", "ask who the user is", "load the C library"],
  reason: "devices other than cpu load libraries of the system, which read variables of their own",
};
const VARIABLES: Grant = {
  attempts: ["read any variable"],
  reason: "a program of others, which it runs, reads variables of its own",
};
const PROGRAMS: Grant = {
  attempts: ["run deno", "run git", "run a shell", "signal a process"],
  reason: "it kills processes and starts programs of the system",
};
const SYSTEM: Grant = {
  attempts: ["read any variable", "ask who the user is"],
  reason: "it looks whether it can inject faults here",
};

const PROCESSES: readonly Grant[] = [{
  attempts: Object.keys(ATTEMPTS) as Attempt[],
  reason:
    "it measures processes by /proc, which Deno shows only to programs that may do everything",
}];

/** Grants by task. */
const GRANTS: Readonly<Record<string, readonly Grant[]>> = {
  help: [],
  bench: [READ, WRITE, DENO, GIT],
  likelihood: [READ, WRITE, VENDOR],
  tune: [READ, WRITE, DENO, GIT],
  report: [READ, WRITE],
  collect: [READ, WRITE],
  status: [READ],
  run: [READ, WRITE, GIT, VENDOR],
  conform: [READ],
  test: [READ, DENO],
  "test:fuzz": PROCESSES,
  "test:faults": [READ, WRITE, PROGRAMS, SYSTEM],
  "test:memory": PROCESSES,
  "test:slurm": [READ, WRITE, PROGRAMS, SYSTEM, {
    attempts: ["connect to a port"],
    reason: "it looks for free ports of this machine",
  }],
  check: [READ, WRITE],
  "check:power": [READ],
  "check:mutations": [READ, WRITE, DENO],
  "check:speed": [DENO],
  learning: [READ],
  scores: [READ],
  page: [READ, WRITE, PROGRAMS, VENDOR, {
    attempts: ["connect to a port", "listen on a port"],
    reason: "it drives a browser",
  }],
  layers: [READ, DENO],
  ok: [DENO],
  "bench:step": [READ, DENO, VENDOR],
  "bench:nodes": [],
  "bench:winograd": [],
  "bench:toy": [READ],
  gpu: [READ, WRITE, DENO, VENDOR],
  "gpu:table": [READ, DENO, VARIABLES],
  "gpu:compile": [READ, {
    attempts: ["read any variable", "load the C library"],
    reason: "it loads the libraries of a vendor, which read variables of their own",
  }],
  "tfjs-node:build": [READ, WRITE, DENO, VARIABLES],
  threads: [READ],
  "bench:devices": [READ, VENDOR],
  "npm:check": [READ, WRITE, DENO],
  "noise:kernel": [READ, VARIABLES],
  inception: [READ, WRITE],
  fid: [READ, WRITE],
  data: [READ, WRITE],
  "fashion:classifier": [READ, WRITE],
  "cifar:classifier": [READ, WRITE],
  "bench:fid": [READ, WRITE],
  "fixtures:fashion_4k": [READ],
};

const TASKS: Readonly<Record<string, { readonly command: string }>> =
  JSON.parse(Deno.readTextFileSync(projectPath("deno.json"))).tasks;

/** The permissions in the command of a task, as its shell passes them to deno; none for a task that runs other tasks. */
function permissionsOf(task: string): string[] {
  return TASKS[task].command
    .replaceAll("$(deno eval 'console.log(Deno.execPath())')", Deno.execPath()).replaceAll('"', "")
    .split(/\s+/).filter((word) => word.startsWith("--allow-") && word !== "--allow-dirty");
}

/** Tasks with a row in docs/survival.md. */
const SHOWN = [
  ...[
    "bench",
    "tune",
    "report",
    "collect",
    "status",
    "check",
    "fid",
    "data",
    "inception",
    "conform",
  ],
  ...["likelihood", "run", "gpu"],
];

/** Columns of the table in docs/survival.md. */
const COLUMNS: readonly (readonly Attempt[])[] = [
  ["connect to a port", "listen on a port"],
  ["run deno", "run git", "run a shell", "signal a process"],
  ["read the system's files", "list the home folder"],
  ["write into the project", "write elsewhere"],
  ["read any variable"],
  ["load the C library"],
];

/** Tasks that run JavaScript with permissions of their own. */
const OWN = Object.keys(TASKS).filter((task) => /^deno (run|test) /.test(TASKS[task].command));

/** The attempts that succeed with each set of permissions, one a line. */
async function tryAll(sets: readonly string[], dir: string): Promise<Map<string, Attempt[]>> {
  const lines = Object.entries(ATTEMPTS).map(([name, code]) =>
    `try { ${code}; console.log("${name}"); } ` +
    `catch (error) { if (error.name !== "NotCapable") console.log("${name}"); }`
  );
  const probe = `${dir}/probe.ts`;
  const text = lines.join("\n").replace("PROJECT", projectPath(".")).replace("HOME", homedir())
    .replace("DENO", Deno.execPath());
  await Deno.writeTextFile(probe, text);
  const found = new Map<string, Attempt[]>();
  const waiting = [...sets];
  const worker = async () => {
    for (let set = waiting.pop(); set !== undefined; set = waiting.pop()) {
      const permissions = set.split("\n").filter((word) => word !== "");
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--no-config", ...permissions, probe],
        cwd: projectPath("."),
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      const succeeded = new TextDecoder().decode(stdout).split("\n");
      found.set(set, attemptsOf((name) => succeeded.includes(name)));
    }
  };
  await Promise.all([worker(), worker()]);
  return found;
}

/** The attempts for which `holds`, in the order of their table. */
function attemptsOf(holds: (name: Attempt) => boolean): Attempt[] {
  return (Object.keys(ATTEMPTS) as Attempt[]).filter(holds);
}

Deno.test("every task is refused what it has no reason to do, and docs/survival.md says what it may", () =>
  withTempDir(async (dir) => {
    assert.deepEqual(OWN.toSorted(), Object.keys(GRANTS).toSorted(), "each task has its grants");
    const sets = new Map(OWN.map((task) => [task, permissionsOf(task).join("\n")]));
    const found = await tryAll([...new Set(sets.values())], dir);
    for (const [task, set] of sets) {
      const granted = attemptsOf((name) =>
        GRANTS[task].some(({ attempts }) => attempts.includes(name))
      );
      assert.deepEqual(found.get(set), granted, `${task} may do other things than its grants say`);
    }
    const docs = Deno.readTextFileSync(projectPath("docs/survival.md"));
    for (const task of SHOWN) {
      const may = found.get(sets.get(task) ?? "") ?? [];
      const cells = COLUMNS.map((attempts) => {
        const done = may.filter((name) => attempts.includes(name));
        const programs = done.filter((name) => name.startsWith("run "));
        if (programs.length > 0) {
          return programs.map((name) => name.slice("run ".length)).join(", ");
        }
        return done.length === 0 ? "no" : "yes";
      });
      const row = new RegExp(`^\\| \`${task}\` +\\| ${cells.join(" +\\| ")} +\\|$`, "m");
      assert.match(docs, row, `docs/survival.md, the row of ${task}`);
    }
  }));

Deno.test("data and inception may reach the hosts that they download from, and no others", () => {
  const hostsOf = (task: string) =>
    permissionsOf(task).flatMap((word) => word.match(/^--allow-net=(.*)$/)?.[1].split(",") ?? []);
  const urls = FILE_SOURCES.flatMap(({ files }) => Object.values(files).flat())
    .flatMap(({ url }) => url === undefined ? [] : [url]);
  assert.deepEqual(hostsOf("data").toSorted(), hosts(urls));
  // GitHub redirects to hosts of its own.
  const others = hostsOf("inception").filter((host) => !host.endsWith(".githubusercontent.com"));
  assert.deepEqual(others, hosts(PUBLISHED_WEIGHTS.urls));
});

/** The hosts in `urls`, each once, in order. */
function hosts(urls: readonly string[]): string[] {
  return [...new Set(urls.map((url) => new URL(url).hostname))].toSorted();
}
