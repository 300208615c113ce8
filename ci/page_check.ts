/**
 * Opens report.html in a browser without a network, as a reader does. Skipped where there is no Chromium. The screenshots in
 * runs/screenshots are for the eyes of whoever changes the page.
 *
 * `deno task page`
 *
 * @module
 */
import assert from "node:assert/strict";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { projectPath } from "../harness/core/project.ts";
import { childCommand } from "../harness/sweep/child.ts";
import type { ResultTable } from "../reports/document/result_table.ts";
import { writeQuick, writeTableOne } from "./page_example.ts";

const SCREENSHOTS = projectPath("runs/screenshots");
const WIDTHS = [390, 1280] as const;
const SCHEMES = ["light", "dark"] as const;

const browserPath = await findChromium();
if (browserPath === undefined) {
  console.error(
    "Skipped the page in a browser: no Chromium in PATH or CHROMIUM; Debian: apt-get install chromium",
  );
}

/** The first Chromium or Chrome of this machine. */
async function findChromium(): Promise<string | undefined> {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const candidates = [
    Deno.env.get("CHROMIUM"),
    ...names.flatMap((name) => folders.map((folder) => `${folder}/${name}`)),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ];
  for (const path of candidates) {
    if (path === undefined) continue;
    const isFile = await Deno.stat(path).then((info) => info.isFile, () => false);
    if (isFile) return path;
  }
}

/** A page on disk, and the table beside it. */
interface Example {
  readonly name: string;
  readonly url: string;
  readonly table: ResultTable;
}

/** Writes an example to a folder and makes its report by the command line. */
async function makeExample(
  name: string,
  write: (dir: string) => Promise<void>,
  dir: string,
): Promise<Example> {
  await Deno.mkdir(dir);
  await write(dir);
  const command = childCommand(["report", dir, "--against", "paper"], {
    read: [dir],
    write: [dir],
    anyLibrary: false,
  });
  const { success, stderr } = await new Deno.Command(command.path, { args: [...command.args] })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const table = JSON.parse(await Deno.readTextFile(`${dir}/table.json`)) as ResultTable;
  return { name, url: `file://${dir}/report.html`, table };
}

/** Opens the page; resolves to it and to what went wrong. */
async function open(
  browser: Browser,
  url: string,
  options: {
    readonly width: number;
    readonly scheme?: typeof SCHEMES[number];
    readonly javaScript?: boolean;
  },
): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
  const context = await browser.newContext({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.scheme ?? "light",
    javaScriptEnabled: options.javaScript ?? true,
    offline: true,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => problems.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) problems.push(`request of ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}

/** The texts of the tables: of each its head, and of each row the texts of its cells, without the lines below. */
function readTables(page: Page) {
  return page.evaluate(`[...document.querySelectorAll("table.sortable")].map((table) => ({
    caption: table.caption.textContent,
    head: [...table.tHead.rows[0].cells].map((cell) => cell.textContent),
    rows: [...table.tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => (cell.querySelector(".main") ?? cell).textContent)),
  }))`) as Promise<
    readonly {
      readonly caption: string;
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }[]
  >;
}

/** Whether the decimal `text` is `value`, rounded to the digits that it has. */
function isRounded(text: string, value: number): boolean {
  const digits = /^[-−]?\d+(?:\.(\d+))?$/.exec(text.replaceAll(",", ""));
  if (!digits) return false;
  const half = 0.5 * 10 ** -(digits[1]?.length ?? 0);
  return Math.abs(Number(text.replace("−", "-")) - value) <= half * (1 + 1e-9);
}

function assertCells(
  tables: Awaited<ReturnType<typeof readTables>>,
  { rows, metrics, datasets }: ResultTable,
): number {
  const [scores] = tables;
  let compared = 0;
  for (const row of rows) {
    const label = row.variant === "" ? row.label : `${row.label} (${row.variant})`;
    const shown = scores.rows.find(([name]) => name.replace(/ [†‡]+$/, "") === label);
    assert.ok(shown, `no row ${label}`);
    for (const { metric, dataset, mean, std, n } of row.scores) {
      const place = datasets.find(({ name }) => name === dataset)?.label ?? dataset;
      const kind = metrics.find(({ name }) => name === metric)?.label ?? metric;
      const column = scores.head.findIndex((head) =>
        head.includes(kind) && (datasets.length === 1 || head.includes(place))
      );
      assert.ok(column >= 0, `no column of ${kind}, ${place}: ${scores.head.join(" | ")}`);
      if (mean === null) continue;
      const parts = /^([-−\d.,]+)(?: ± ([\d.]+))?(?: \(n = (\d+))?/.exec(shown[column]);
      const [, value = "", deviation = "", count]: readonly (string | undefined)[] = parts ?? [];
      const what: string = `${label}, ${place}, ${kind}: "${shown[column]}"`;
      assert.ok(isRounded(value, mean), `${what} is not ${mean}`);
      if (std !== null && std > 0) assert.ok(isRounded(deviation, std), `${what} is not ± ${std}`);
      if (count !== undefined) assert.equal(Number(count), n, what);
      compared++;
    }
  }
  return compared;
}

Deno.test({
  name: "report.html in a browser: whole, quiet, accessible, equal to table.json, at every width",
  ignore: browserPath === undefined,
  sanitizeOps: false, // the browser's own
  sanitizeResources: false,
  async fn(t) {
    await Deno.mkdir(SCREENSHOTS, { recursive: true });
    const root = await Deno.realPath(await Deno.makeTempDir());
    const browser = await chromium.launch({
      executablePath: browserPath,
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    try {
      const examples = await Promise.all([
        makeExample("quick", writeQuick, `${root}/quick`),
        makeExample("table1", writeTableOne, `${root}/table1`),
      ]);
      for (const example of examples) {
        const texts: string[] = [];
        const colours = new Map<string, string>();
        for (const width of WIDTHS) {
          for (const scheme of SCHEMES) {
            await t.step(`${example.name}, ${width} pixels, ${scheme}`, async () => {
              const { page, problems } = await open(browser, example.url, { width, scheme });
              await checkLook(page, width);
              colours.set(scheme, await backgroundOf(page));
              texts.push(JSON.stringify(await readTables(page)));
              await takeScreenshot(page, `${example.name}-${width}-${scheme}`);
              if (width === 390 || example.name === "quick") await checkAccess(page);
              assert.deepEqual(problems, []);
              await page.context().close();
            });
          }
        }
        await t.step(
          `${example.name}: light and dark differ, widths do not in what they say`,
          () => {
            assert.equal(new Set(colours.values()).size, SCHEMES.length, [...colours].join("; "));
            assert.equal(new Set(texts).size, 1);
          },
        );
        await t.step(
          `${example.name}: cells are those of table.json, sorted by a press, and there without a script`,
          async () => {
            const { page } = await open(browser, example.url, { width: 1280 });
            const compared = assertCells(await readTables(page), example.table);
            assert.ok(compared >= 20, `${compared} cells compared`);
            await checkSorting(page);
            const plain = await open(browser, example.url, { width: 1280, javaScript: false });
            const words = await page.locator("main").innerText();
            assert.equal(await plain.page.locator("main").innerText(), words);
          },
        );
      }
      await t.step("Table 1 has its 14 columns at 1280 pixels", async () => {
        const { page } = await open(browser, examples[1].url, { width: 1280 });
        const [{ head }] = await readTables(page);
        assert.ok(head.length >= 14, `${head.length} columns: ${head.join(" | ")}`);
      });
    } finally {
      await browser.close();
      await Deno.remove(root, { recursive: true });
    }
  },
});

/** Nothing is wider than the screen or than its box, and every image is shown and described. */
async function checkLook(page: Page, width: number): Promise<void> {
  const found = await page.evaluate(`({
    width: document.documentElement.scrollWidth,
    wide: [...document.querySelectorAll(".scroll")]
      .filter((box) => box.scrollWidth > box.clientWidth)
      .map((box) => box.querySelector("caption").textContent),
    images: document.images.length,
    broken: [...document.images].filter((image) => !image.complete || image.naturalWidth === 0 || image.alt === "")
      .map((image) => image.alt),
    nameless: [...document.querySelectorAll("svg")].filter((svg) => !svg.querySelector("title")?.textContent).length,
    charts: document.querySelectorAll("svg").length,
  })`) as {
    readonly width: number;
    readonly wide: readonly string[];
    readonly images: number;
    readonly broken: readonly string[];
    readonly nameless: number;
    readonly charts: number;
  };
  assert.ok(found.width <= width, `the page is ${found.width} pixels wide on ${width}`);
  assert.deepEqual(found.wide, [], "tables wider than the page");
  assert.deepEqual([found.broken, found.nameless], [[], 0]);
  assert.ok(found.charts > 0);
}

/** Pixels of a screenshot from top to bottom, at most: Chromium draws no picture of more than some 12,000. */
const TALLEST = 8000;

async function takeScreenshot(page: Page, name: string): Promise<void> {
  const [width, height] = await page.evaluate(
    "[document.documentElement.clientWidth, document.documentElement.scrollHeight]",
  ) as readonly [number, number];
  await page.screenshot({
    path: `${SCREENSHOTS}/${name}.png`,
    fullPage: true,
    clip: { x: 0, y: 0, width, height: Math.min(TALLEST, height) },
  });
}

async function backgroundOf(page: Page): Promise<string> {
  return await page.evaluate("getComputedStyle(document.body).backgroundColor") as string;
}

/** axe-core finds nothing. */
async function checkAccess(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    `axe.run({ resultTypes: ["violations"] })`,
  ) as axe.AxeResults;
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)} (${nodes.length})`),
    [],
  );
}

/** A press on the head of the first column of numbers sorts, a second one turns the order, a third restores it. */
async function checkSorting(page: Page): Promise<void> {
  const numbers = async () => {
    const [{ rows }] = await readTables(page);
    return rows.map((cells) => Number.parseFloat(cells[2])).filter((x) => !Number.isNaN(x));
  };
  const before = await numbers();
  const button = page.locator("table.sortable").first().locator("thead th").nth(2).locator(
    "button",
  );
  await button.click();
  assert.deepEqual(await numbers(), before.toSorted((a, b) => a - b));
  await button.click();
  assert.deepEqual(await numbers(), before.toSorted((a, b) => b - a));
  await button.click();
  assert.deepEqual(await numbers(), before);
}
