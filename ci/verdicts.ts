/**
 * Verdicts for other programs: JUnit's XML, and the annotations of GitHub's runners.
 *
 * @module
 */
import { replaceFile } from "../harness/core/files.ts";

/** One thing that was checked. */
export interface Verdict {
  /** The subject of the check, as `bivariate, mala`. */
  readonly group: string;
  /** The metric. */
  readonly name: string;
  /** Why it failed, in a sentence; null if it passed. */
  readonly failure: string | null;
}

/** JUnit's XML of one test suite, a case for each verdict. */
export function junit(
  verdicts: readonly Verdict[],
  { suite, seconds }: { readonly suite: string; readonly seconds: number },
): string {
  const failed = verdicts.filter(({ failure }) => failure !== null).length;
  const cases = verdicts.map(({ group, name, failure }) => {
    const open = `    <testcase classname="${escapeXml(group)}" name="${escapeXml(name)}"`;
    return failure === null
      ? `${open}/>`
      : `${open}>\n      <failure message="${escapeXml(failure)}"/>\n    </testcase>`;
  });
  const counts = `tests="${verdicts.length}" failures="${failed}" time="${seconds.toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${escapeXml(suite)}" ${counts}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** A line that GitHub's runners show as an error beside the run. */
export function annotation({ group, name, failure }: Verdict): string {
  const property = (text: string) =>
    escapeCommand(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error title=${property(`${group}: ${name}`)}::${escapeCommand(failure ?? "")}`;
}

/** Options of `publish`. */
export interface PublishOptions {
  readonly suite: string;
  readonly seconds: number;
  /** File for JUnit's XML, if it is asked for. */
  readonly junitPath?: string;
  /** Whether to print annotations. */
  readonly annotate: boolean;
  /** Whether standard output is JSON, for another program. */
  readonly json: boolean;
}

/** Writes the verdicts where they were asked for. GitHub's runners look for annotations in both outputs. */
export async function publish(
  verdicts: readonly Verdict[],
  { suite, seconds, junitPath, annotate, json }: PublishOptions,
): Promise<void> {
  if (junitPath !== undefined) await replaceFile(junitPath, junit(verdicts, { suite, seconds }));
  if (!annotate) return;
  const print = json ? console.error : console.log;
  for (const verdict of verdicts) if (verdict.failure !== null) print(annotation(verdict));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll(/\p{Cc}/gu, " ");
}

/** As GitHub's runners read the value of a command. */
function escapeCommand(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
