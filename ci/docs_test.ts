/** Checks that links, paths, tasks and options in the README and docs/ exist, and that the README stays short. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectPath } from "../harness/core/project.ts";

const README_WORDS = 1000;
const PAGES = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ...readdirSync(projectPath("docs")).filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const read = (page: string): string => readFileSync(projectPath(page), "utf8");
const exists = (path: string): boolean => existsSync(projectPath(path));
const TASKS: object = JSON.parse(read("deno.json")).tasks;

/** A command that a page shows: its task, the subcommand `toy` or `list` if it has one, and its options. */
interface Command {
  readonly task: string;
  readonly sub: string;
  readonly options: readonly string[];
}

/** Targets of the links of `text` inside the repository. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/**
 * Paths from the root that `text` names, in links or not: those that begin with a folder of the repository, except the
 * files that the page has its reader create, which comments such as `<!-- file: PATH -->` mark.
 */
function pathsOf(text: string): string[] {
  const created = new Set([...text.matchAll(/<!-- file: (\S+) -->/g)].map(([, path]) => path));
  const found = text.matchAll(
    /(?<![\w./:-])(?:\.ci|ci|datasets|docs|fixtures|harness|methods|reports)\/[\w./-]*/g,
  );
  return [...found].map(([path]) => path.replace(/\.$/, "")).filter((path) => !created.has(path));
}

/** The calls of tasks in `text`, each up to the end of its line, code span, comment or list of commands. */
function commandsOf(text: string): Command[] {
  const calls = text.matchAll(
    /\bdeno(?:@[\d.]+)?\s+task\s+([a-z]+(?:[-:][a-z]+)*)((?:[^\n`#;&,]|,(?! ))*)/g,
  );
  return [...calls].map(([, task, rest]) => ({
    task,
    sub: /^ (toy|list)\b/.exec(rest)?.[1] ?? "",
    options: [...rest.matchAll(/(?<= )--[a-z][a-z-]*/g)].map(([option]) => option),
  }));
}

/** Anchors of the headings of `text`, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

/** Counts the visible words: anything with a letter or a digit, also in tables and code, but not in comments. */
function countWords(text: string): number {
  const visible = text.replaceAll(/<!--.*?-->/gs, "");
  return visible.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

function brokenLinks(page: string, text: string): string[] {
  return linksOf(text).filter((target) => {
    const [file, anchor] = target.split("#");
    const path = file === "" ? page : join(dirname(page), file);
    return !exists(path) || (anchor !== undefined && !anchorsOf(read(path)).includes(anchor));
  });
}

Deno.test("the checks of the documentation find errors", () => {
  const text = [
    "# A page",
    "[a](README.md) [b](absent.md) [c](https://example.org) [d](README.md#absent) [e](README.md#run)",
    "`ci/absent.ts`, ci/ok.ts. runs/quick/table.md",
    "Create `ci/created.ts`: <!-- file: ci/created.ts -->",
    "npx -y deno@2.9.6 task absent && deno task bench toy --targets a,b --seed 1 # --no",
    "<!-- numbers: deno task bench:step --steps 2, runs/x -->",
  ].join("\n");
  assert.deepEqual(brokenLinks("README.md", text), ["absent.md", "README.md#absent"]);
  assert.deepEqual(pathsOf(text), ["ci/absent.ts", "ci/ok.ts"]);
  assert.deepEqual(commandsOf(text), [
    { task: "absent", sub: "", options: [] },
    { task: "bench", sub: "toy", options: ["--targets", "--seed"] },
    { task: "bench:step", sub: "", options: ["--steps"] },
  ]);
  assert.equal(countWords("| A | – | 3 ± 1 (n = 3) |\n<!-- not\nthese -->"), 5);
});

for (const page of PAGES) {
  Deno.test(`${page} links to existing targets`, () => {
    assert.deepEqual(brokenLinks(page, read(page)), []);
  });

  Deno.test(`${page} names paths and tasks that exist`, () => {
    const text = read(page);
    const absent = {
      paths: pathsOf(text).filter((path) => !exists(path)),
      tasks: commandsOf(text).filter(({ task }) => !Object.hasOwn(TASKS, task)),
    };
    assert.deepEqual(absent, { paths: [], tasks: [] });
  });
}

Deno.test("every option in a command of the documentation is in the help of its task", async () => {
  const options = new Map<string, Set<string>>();
  for (const { task, sub, options: shown } of PAGES.flatMap((page) => commandsOf(read(page)))) {
    const call = `${task} ${sub}`.trim();
    options.set(call, (options.get(call) ?? new Set()).union(new Set(shown)));
  }
  const unknown: string[] = [];
  for (const [call, shown] of options) {
    if (shown.size === 0) continue;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", ...call.split(" "), "--help"],
      cwd: projectPath("."),
    }).output();
    const help = new TextDecoder().decode(stdout).split(/[\s,]+/);
    unknown.push(...[...shown].filter((o) => !help.includes(o)).map((o) => `${call} ${o}`));
  }
  assert.deepEqual(unknown, []);
});

Deno.test("docs/README.md lists every page", () => {
  const listed = linksOf(read("docs/README.md")).map((target) => `docs/${target}`);
  assert.deepEqual(
    PAGES.filter((page) =>
      page.startsWith("docs/") && page !== "docs/README.md" && !listed.includes(page)
    ),
    [],
  );
});

Deno.test(`README.md has at most ${README_WORDS} words`, () => {
  const words = countWords(read("README.md"));
  assert.ok(words <= README_WORDS, `${words} words`);
});
