/**
 * `deno task report` and `deno task collect`: the tables of an output folder, from its records.
 *
 * @module
 */
import { Command } from "commander";
import { againstPaper } from "../../reports/against_paper.ts";
import { againstRuns } from "../../reports/against_runs.ts";
import { toCsv } from "../../reports/csv.ts";
import type { Block } from "../../reports/document/block.ts";
import type { Results } from "../../reports/table.ts";
import { ifThere, replaceFile } from "../core/files.ts";
import { userPath } from "../core/project.ts";
import type { RunRecord } from "../core/records.ts";
import { collect, findRecords } from "../sweep/collect.ts";
import { latestRecords, readResults, RESULTS_FILE } from "../sweep/store.ts";
import { lookAt, openPage } from "./open_page.ts";
import { PAGE_FILE, writeReports } from "./write_reports.ts";

/** The table of the runs for other programs. */
const CSV_FILE = "runs.csv";

/** Defines the command `report`. */
export function reportCommand(): Command {
  return new Command("report")
    .description("rebuild the tables of an output folder from its results.jsonl")
    .argument("<folder>", "the output folder")
    .option(
      "--against <folder>",
      "compare with the results of another folder, run by run, or with `paper`, the published numbers",
    )
    .option("--csv", `also write ${CSV_FILE}: one line a run, with every setting and score`)
    .option("--open", `open ${PAGE_FILE} in a browser`)
    .action(reportAction);
}

/** Defines the command `collect`. */
export function collectCommand(): Command {
  return new Command("collect")
    .description(
      "add the records that runs wrote to their own folders to results.jsonl, and rebuild the tables; nothing is trained or scored again",
    )
    .argument("<folder>", "the output folder")
    .action(collectAction);
}

async function reportAction(
  folder: string,
  { against, csv, open }: {
    readonly against?: string;
    readonly csv?: boolean;
    readonly open?: boolean;
  },
): Promise<void> {
  const dir = userPath(folder);
  const records = await recordsIn(dir);
  const compare = against === undefined ? undefined : await comparisonWith(against, records);
  const { markdown, paths } = await writeReports(dir, records, compare);
  if (csv) await replaceFile(`${dir}/${CSV_FILE}`, toCsv(records));
  const written = [...paths, ...csv ? [`${dir}/${CSV_FILE}`] : []];
  console.log(`${markdown}\nWrote ${written.join(", ")}\n${lookAt(`${dir}/${PAGE_FILE}`)}`);
  if (open) await openPage(`${dir}/${PAGE_FILE}`);
}

async function collectAction(folder: string): Promise<void> {
  const dir = userPath(folder);
  if (!await ifThere(Deno.stat(dir))) throw new Error(`Folder not found: ${dir}`);
  const { adopted, records } = await collect(dir);
  if (adopted.length === 0) console.error(`Nothing new in the run folders of ${dir}`);
  if (records.length === 0) return;
  const { paths } = await writeReports(dir, latestRecords(records));
  console.error(`Wrote ${paths.join(", ")}`);
}

/** The latest records of the folder `dir`, with those that its runs wrote to their own folders. Throws if it has none. */
async function recordsIn(dir: string): Promise<RunRecord[]> {
  const { records: known, torn } = await readResults(dir);
  if (torn !== "") console.error(`Ignored the incomplete last line of ${dir}/${RESULTS_FILE}`);
  const records = [...known, ...await foundIn(dir, known)];
  if (records.length === 0) {
    throw new Error(
      `No results in ${dir}/${RESULTS_FILE}: create them with deno task bench --out ${dir}`,
    );
  }
  return latestRecords(records);
}

/** The records of runs in `dir` that `known` lacks, collected if the results can be written. */
async function foundIn(dir: string, known: readonly RunRecord[]): Promise<readonly RunRecord[]> {
  const { records } = await findRecords(dir, known);
  if (records.length === 0) return [];
  try {
    return (await collect(dir)).adopted;
  } catch (error) {
    console.error(`Shown, and not added to the results: ${(error as Error).message}`);
    return records;
  }
}

/** The blocks that compare `records` with the published numbers or with those of the folder `against`. */
async function comparisonWith(
  against: string,
  records: readonly RunRecord[],
): Promise<(results: Results) => Block[]> {
  if (against === "paper") return ({ table }) => againstPaper(table);
  const others = await recordsIn(userPath(against));
  return ({ table }) => againstRuns(records, { table, others, name: against });
}
