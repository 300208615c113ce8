import { PAPER_EPOCH_SECONDS } from "./paper.ts";
import { POSTER_DATASETS, POSTER_SCORES } from "./poster.ts";
import type { MetricName, ResultTable, Row, ScoreCell } from "./result_table.ts";

/** A piece of a report: what is shown, not how. */
export type Block =
  | { readonly kind: "title" | "heading" | "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | {
    readonly kind: "table";
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  };

/** Stands for a number that there is not. */
const NONE = "–";
const ARROW = { lower: "↓", higher: "↑" } as const;

/** The report of `table`: scores as in the paper's Table 1, lost seeds, times, settings, provenance. */
export function layOut(table: ResultTable): Block[] {
  return [
    { kind: "title", text: `Results: ${table.experiments.join(", ") || "no runs"}` },
    ...scoreBlocks(table, table.metrics.filter(({ importanceSamples: k }) => k === undefined)),
    ...likelihoodBlocks(table),
    ...lostBlocks(table),
    ...timeBlocks(table),
    ...reconstructionBlocks(table),
    ...freedomBlocks(table),
    ...settingsBlocks(table),
    ...provenanceBlocks(table),
  ];
}

/** `x` with four significant digits at most, without an exponent where it can be. */
export function formatNumber(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** `45.21 ± 1.30 (n = 3)`: the mean with as many decimals as the two leading digits of the deviation. */
export function formatScore({ mean, std, n, lost }: ScoreCell): string {
  const asked = n + lost.length;
  const count = lost.length === 0 ? `n = ${n}` : `n = ${n} of ${asked}`;
  if (mean === null) return lost.length === 0 ? NONE : `${NONE} (${count})`;
  return `${formatMeanStd(mean, std)} (${count})`;
}

function formatMeanStd(mean: number, std: number | null): string {
  if (std === null || std === 0) return `${formatNumber(mean)}${std === 0 ? " ± 0" : ""}`;
  const decimals = Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(std))));
  return `${mean.toFixed(decimals)} ± ${std.toFixed(decimals)}`;
}

function nameOf({ label, variant }: Row): string {
  return variant === "" ? label : `${label} (${variant})`;
}

interface Column {
  readonly head: string;
  readonly text: (cell: ScoreCell | undefined) => string;
  readonly metric: string;
  readonly dataset: string;
}

/** The table of the scores `metrics`; of bounds on the likelihood only the rows that have one. */
function scoreBlocks({ datasets, rows }: ResultTable, metrics: readonly MetricName[]): Block[] {
  if (metrics.length === 0) return [];
  const cells = rows.flatMap(({ scores }) => scores);
  const columns = datasets.flatMap((dataset) =>
    metrics.flatMap(({ name: metric, label, better }): Column[] => {
      const own = cells.filter((cell) => cell.metric === metric && cell.dataset === dataset.name);
      if (own.every(({ n, lost }) => n + lost.length === 0)) return [];
      const place = { metric, dataset: dataset.name };
      const head = `${dataset.label}: ${label} ${ARROW[better]}`;
      const columns: Column[] = [{
        ...place,
        head,
        text: (cell) => cell === undefined ? NONE : formatScore(cell),
      }];
      if (own.some(({ untrained }) => untrained !== null)) {
        columns.push({
          ...place,
          head: "untrained",
          text: (cell) => cell?.untrained == null ? NONE : formatNumber(cell.untrained),
        });
      }
      if (own.some(({ paper }) => paper !== null)) {
        columns.push({
          ...place,
          head: "paper",
          text: (cell) => cell?.paper == null ? NONE : `${cell.paper.mean} ± ${cell.paper.std}`,
        });
      }
      return columns;
    })
  );
  const asked = new Set(columns.map(({ metric }) => metric));
  const shown = rows.filter(({ scores }) =>
    scores.some(({ metric, n, lost }) => asked.has(metric) && n + lost.length > 0)
  );
  const body = shown.map((row) => [
    nameOf(row),
    row.description,
    ...columns.map(({ metric, dataset, text }) =>
      text(row.scores.find((cell) => cell.metric === metric && cell.dataset === dataset))
    ),
  ]);
  const marks = metrics.map(({ label, better }) => `${label}: ${better} is better`).join("; ");
  const head = ["Method", "Description", ...columns.map(({ head }) => head)];
  const text = `Mean ± standard deviation of the sample over n seeds. ${marks}.`;
  return [{ kind: "table", head, rows: body }, { kind: "text", text }];
}

/** The bounds on the likelihood, and the table of the NeurIPS version's poster. */
function likelihoodBlocks(table: ResultTable): Block[] {
  const bounds = table.metrics.filter(({ importanceSamples }) => importanceSamples !== undefined);
  if (bounds.length === 0) return [];
  const facts = table.datasets.flatMap(({ name, label }) => {
    const bases = table.rows.flatMap(({ scores }) =>
      scores.flatMap(({ dataset, basis }) => dataset === name && basis !== null ? [basis] : [])
    );
    if (bases.length === 0) return [];
    const [{ draws, images }] = bases;
    const error = Math.max(...bases.map(({ standardError }) => standardError)).toPrecision(2);
    return [
      `${label}: ${images} test images, ${draws} draws of z each; standard error over images, of all ` +
      `rows alike, up to ${error}.`,
    ];
  });
  const text =
    "Upper bounds on the mean of -log p(x) per dimension of the test images, in nats: the ELBO is the bound " +
    "of k = 1, the mean of the importance-weighted bounds falls with k to -log p(x) itself. Methods whose q " +
    "differ in kind compare at the largest k.";
  const poster = POSTER_SCORES.map(({ method }) => method).filter((m, i, all) =>
    all.indexOf(m) === i
  );
  const posterRows = poster.map((method) => [
    table.rows.find((row) => row.method === method)?.label ?? method.toUpperCase(),
    ...POSTER_DATASETS.map(({ name }) => {
      const score = POSTER_SCORES.find((s) => s.method === method && s.dataset === name);
      return score === undefined ? NONE : `${score.mean.toFixed(3)} ± ${score.std.toFixed(3)}`;
    }),
  ]);
  const posterText =
    "For comparison, the poster of the NeurIPS 2022 version: -ELBO per dimension (nats, as the numbers imply), " +
    "3 seeds. Its epochs, its latent dimensions and the size of its MNIST are not stated.";
  return [
    { kind: "heading", text: "Likelihood" },
    ...scoreBlocks(table, bounds),
    { kind: "text", text: [text, ...facts].join(" ") },
    { kind: "text", text: posterText },
    {
      kind: "table",
      head: ["Method", ...POSTER_DATASETS.map(({ label }) => label)],
      rows: posterRows,
    },
  ];
}

function lostBlocks({ rows, datasets }: ResultTable): Block[] {
  const items = rows.flatMap((row) =>
    row.scores.flatMap(({ dataset, metric, lost }) =>
      lost.map(({ seed, why }) => {
        const label = datasets.find(({ name }) => name === dataset)?.label ?? dataset;
        return `${nameOf(row)}, ${label}, ${metric}, seed ${seed}: ${why}`;
      })
    )
  );
  if (items.length === 0) return [];
  return [{ kind: "heading", text: "Lost seeds" }, { kind: "list", items }];
}

function timeBlocks({ datasets, rows, ratios }: ResultTable): Block[] {
  const timed = datasets.filter(({ name }) =>
    rows.some(({ times }) => times.some(({ dataset }) => dataset === name))
  );
  if (timed.length === 0) {
    if (rows.length === 0) return [];
    const text = "None: the first epoch of a process is a warm-up; times take --epochs 2 or more.";
    return [{ kind: "heading", text: "Seconds per epoch" }, { kind: "text", text }];
  }
  const head = ["Method", ...timed.map(({ label }) => label), "paper, CIFAR-10"];
  const body = rows.map((row) => [
    nameOf(row),
    ...timed.map(({ name }) => {
      const time = row.times.find(({ dataset }) => dataset === name);
      if (time === undefined) return NONE;
      const [median, min, max] = [time.median, time.min, time.max].map(formatNumber);
      return `${median} (${min} to ${max})`;
    }),
    row.variant === "" ? PAPER_EPOCH_SECONDS[row.method]?.toFixed(2) ?? NONE : NONE,
  ]);
  const labelOf = (method: string) =>
    rows.find((row) => row.method === method)?.label ?? method.toUpperCase();
  const names = [
    ...new Set(ratios.map((r) => `${labelOf(r.numerator)} / ${labelOf(r.denominator)}`)),
  ];
  const ratioRows = names.map((name) => {
    const own = ratios.filter((r) =>
      `${labelOf(r.numerator)} / ${labelOf(r.denominator)}` === name
    );
    const cells = timed.map((dataset) => {
      const ratio = own.find((r) => r.dataset === dataset.name)?.ratio ?? null;
      return ratio === null ? NONE : ratio.toFixed(2);
    });
    return [name, ...cells, own[0].paper.toFixed(2)];
  });
  const text =
    "Median (range) over the epochs of all seeds; the first epoch of each process is a warm-up and not " +
    "counted. Sampling, scoring, compilation and checkpoints are on other clocks. Ratios are of medians, " +
    "within one machine. The paper's hardware is not known, and its data set and nets may be larger.";
  return [
    { kind: "heading", text: "Seconds per epoch" },
    { kind: "table", head, rows: [...body, ...ratioRows] },
    { kind: "text", text },
  ];
}

/** How well test images are made from draws of their posteriors. */
function reconstructionBlocks({ rows, datasets }: ResultTable): Block[] {
  const shown = datasets.filter(({ name }) =>
    rows.some(({ reconstructions }) => reconstructions.some(({ dataset }) => dataset === name))
  );
  if (shown.length === 0) return [];
  const body = rows.filter(({ reconstructions }) => reconstructions.length > 0).map((row) => [
    nameOf(row),
    ...shown.map(({ name }) => {
      const cell = row.reconstructions.find(({ dataset }) => dataset === name);
      return cell === undefined ? NONE : `${formatMeanStd(cell.mean, cell.std)} (n = ${cell.n})`;
    }),
  ]);
  const text =
    "Mean squared error per pixel of 50 test images in [0, 1], each made from one draw of its posterior, mean ± " +
    "standard deviation over seeds; reconstructions.png of each run shows them.";
  return [
    { kind: "heading", text: "Reconstructions" },
    { kind: "table", head: ["Method", ...shown.map(({ label }) => label)], rows: body },
    { kind: "text", text },
  ];
}

/** Diagnostics of chains that share weights. */
function freedomBlocks({ rows, datasets }: ResultTable): Block[] {
  const body = rows.flatMap((row) =>
    row.freedom.map(({ dataset, features, rank, leverage, varianceRatio, ...cell }) => [
      nameOf(row),
      datasets.find(({ name }) => name === dataset)?.label ?? dataset,
      `${formatNumber(rank)} of ${features}`,
      `${cell.rows}`,
      `${formatNumber(leverage.mean)} (${formatNumber(leverage.min)} to ${
        formatNumber(leverage.max)
      })`,
      `${varianceRatio === null ? NONE : formatNumber(varianceRatio)} (${cell.moves} moves)`,
    ])
  );
  if (body.length === 0) return [];
  const head = [
    "Method",
    "Data set",
    "rank of features",
    "rows",
    "leverage (range)",
    "variance ratio",
  ];
  const text =
    "Diagnostics of amortized chains after training, mean over seeds. The leverage is the share of its " +
    "posterior's variance that a row's chain can reach at stationarity when it sees all rows; 1 for all only with " +
    "as many independent features as rows. The variance ratio is what chains covered in so many moves with all " +
    "else at rest, over the variance of free Langevin chains: below the leverage where chains are slow, above " +
    "it where each move sees one minibatch only, without the factor n / m.";
  return [
    { kind: "heading", text: "Diagnostics" },
    { kind: "table", head, rows: body },
    { kind: "text", text },
  ];
}

function settingsBlocks({ settings, hyper }: ResultTable): Block[] {
  const list = (facts: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(facts).map(([key, values]) => `${key} ${values.join(" or ") || "none"}`).join(
      ", ",
    );
  const methods = Object.entries(hyper).map(([method, facts]) => `${method}: ${list(facts)}`);
  return [
    { kind: "heading", text: "Settings" },
    { kind: "list", items: [`all: ${list(settings)}`, ...methods] },
  ];
}

function provenanceBlocks({ provenance, runs }: ResultTable): Block[] {
  const counts = Object.entries(runs).filter(([, count]) => count > 0)
    .map(([status, count]) => `${count} ${status}`);
  const facts = Object.entries(provenance).map(([key, values]) => `${key}: ${values.join("; ")}`);
  return [
    { kind: "heading", text: "Provenance" },
    { kind: "list", items: [`runs: ${counts.join(", ") || "none"}`, ...facts] },
  ];
}
