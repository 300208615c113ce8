/**
 * The files that show the records of an output folder: its tables and its page.
 *
 * @module
 */
import type { Block } from "../../reports/document/block.ts";
import { toHtml } from "../../reports/html.ts";
import { toJson } from "../../reports/json.ts";
import { blocksMarkdown, toMarkdown } from "../../reports/markdown.ts";
import { buildResults, type Results } from "../../reports/table.ts";
import { replaceFile } from "../core/files.ts";
import type { RunRecord } from "../core/records.ts";
import { readLikelihoods } from "../sweep/likelihood_store.ts";
import { readRunList } from "../sweep/run_list.ts";
import { downloadsOf, readPictures } from "./page_content.ts";
import { namesOf, sideOf } from "./tables.ts";
import { TOY_PAGE } from "./toy.ts";

/** The page of an output folder. */
export const PAGE_FILE = "report.html";

/**
 * Writes the tables of `records`; the blocks of `compare` follow in the page and in `markdown`, not in table.md and table.json.
 * Equal records give equal bytes.
 */
export async function writeReports(
  dir: string,
  records: readonly RunRecord[],
  compare: (results: Results) => Block[] = () => [],
): Promise<{ readonly markdown: string; readonly paths: readonly string[] }> {
  const runList = await readRunList(dir);
  const results = buildResults(records, {
    names: namesOf([...records, ...runList ?? []].map(({ spec }) => spec)),
    runList,
    likelihoods: await readLikelihoods(dir),
  });
  const against = compare(results);
  const markdown = toMarkdown(results.table);
  const pictures = await readPictures(dir, results, sideOf);
  const files = {
    "table.md": markdown,
    "table.json": toJson(results.table),
    [PAGE_FILE]: toHtml(results, {
      pictures,
      downloads: downloadsOf(results),
      against,
      toy: await toyPageFrom(dir),
    }),
  };
  for (const [name, text] of Object.entries(files)) await replaceFile(`${dir}/${name}`, text);
  const compared = against.length === 0 ? "" : `\n${blocksMarkdown(against, { captions: true })}`;
  return {
    markdown: markdown + compared,
    paths: Object.keys(files).map((name) => `${dir}/${name}`),
  };
}

/** The path from the folder `dir` to the page of the toy suite, in it or beside it; undefined if there is none. */
async function toyPageFrom(dir: string): Promise<string | undefined> {
  for (const path of [TOY_PAGE, `../toy/${TOY_PAGE}`]) {
    const isThere = await Deno.stat(`${dir}/${path}`).then(
      ({ isFile }) => isFile,
      () => false, // absent, or not to be read
    );
    if (isThere) return path;
  }
}
