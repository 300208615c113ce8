import { createHash } from "node:crypto";
import { cpus, hostname } from "node:os";
import { UsageError } from "../core/arguments.ts";
import { projectPath } from "../core/project.ts";
import type { Score } from "../core/types.ts";
import type { Provenance } from "../core/records.ts";

/** The state of the project's repository; null where it is unknown. */
export type Revision = Pick<Provenance, "commit" | "dirty">;

/** Asks git for the revision; it is unknown without git, without a repository, or without the permission to run git. */
export async function readRevision(): Promise<Revision> {
  const status = await git("status", "--porcelain", "--untracked-files=no");
  return {
    commit: await git("rev-parse", "HEAD"),
    dirty: status === null ? null : status !== "",
  };
}

/** Ending of a revision with uncommitted changes, as `git describe` writes it. */
const DIRTY = "-dirty";

/** A revision in one word: `COMMIT`, `COMMIT-dirty` or `unknown`. */
export function formatRevision({ commit, dirty }: Revision): string {
  return commit === null ? "unknown" : `${commit}${dirty === true ? DIRTY : ""}`;
}

/** Inverts `formatRevision`. Throws UsageError for anything else. */
export function parseRevision(text: string): Revision {
  if (text === "unknown") return { commit: null, dirty: null };
  const [, commit, dirty] = /^([0-9a-f]{40,64})(-dirty)?$/.exec(text) ?? [];
  if (commit === undefined) {
    throw new UsageError(
      `--revision must be a commit's hash, a hash with ${DIRTY}, or unknown, got "${text}"`,
    );
  }
  return { commit, dirty: dirty !== undefined };
}

/** Provenance of the numbers that this process computes. */
export async function readProvenance(
  { revision, device, datasetSha256, metrics, jobs }: {
    readonly revision: Revision;
    /** The description of the device. */
    readonly device: string;
    readonly datasetSha256: string;
    readonly metrics: readonly Score[];
    /** Number of parallel runs. */
    readonly jobs: number;
  },
): Promise<Provenance> {
  const lock = await Deno.readTextFile(projectPath("deno.lock"));
  const config = JSON.parse(await Deno.readTextFile(projectPath("deno.json"))) as {
    readonly imports: Readonly<Record<string, string>>;
  };
  return {
    ...revision,
    lockSha256: createHash("sha256").update(lock).digest("hex"),
    versions: { deno: Deno.version.deno, v8: Deno.version.v8, ...pinnedVersions(config.imports) },
    host: hostname(),
    device,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: navigator.hardwareConcurrency,
    jobs,
    os: `${Deno.build.os} ${Deno.build.arch}`,
    datasetSha256,
    metricSha256: Object.fromEntries(
      metrics.flatMap(({ name, sha256 }) => sha256 === undefined ? [] : [[name, sha256]]),
    ),
    metricSettings: Object.fromEntries(
      metrics.flatMap(({ name, settings }) => settings === undefined ? [] : [[name, settings]]),
    ),
  };
}

/** Versions that the import map pins: `{sharp: "0.35.5"}` for `sharp: npm:sharp@0.35.5`. */
export function pinnedVersions(imports: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(imports).flatMap(([name, target]) => {
      const version = /^npm:.+@([^@/]+)$/.exec(target)?.[1];
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

/** Output of git in the project folder; null without git or without a repository. */
async function git(...args: readonly string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", projectPath("."), ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return null; // git is missing or not permitted: the record says commit null
    }
    throw error;
  }
}
