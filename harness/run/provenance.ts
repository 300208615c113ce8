import { createHash } from "node:crypto";
import { cpus, hostname } from "node:os";
import { projectPath } from "../core/project.ts";
import type { Score } from "../core/types.ts";
import type { Provenance } from "../core/records.ts";

/** Provenance of the numbers that this process computes. */
export async function readProvenance(
  { device, datasetSha256, metrics, jobs }: {
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
  const status = await git("status", "--porcelain", "--untracked-files=no");
  return {
    commit: await git("rev-parse", "HEAD"),
    dirty: status === null ? null : status !== "",
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
