import { median } from "../statistics/summary.ts";

/** A method's step as one engine runs it; times in seconds. */
export interface Measured {
  readonly engine: string;
  readonly method: string;
  /** What rows of one table have in common. */
  readonly settings: string;
  /** Of each step, and of each matrix product between two steps. */
  readonly steps: readonly number[];
  readonly products: readonly number[];
  /** Size of the product's matrices. */
  readonly product: number;
  readonly compile: number;
  /** Floating-point operations of a step; rows of other engines take those of ours. */
  readonly flops?: number;
  /** Calls of NVIDIA's libraries in XLA's program, by name. */
  readonly libraryCalls?: Readonly<Record<string, number>>;
  /** Runtime, version, card. */
  readonly device: string;
}

/** Steps of CIFAR-10's epoch at batches of 100, in which the paper gives its times. */
const EPOCH_STEPS = 500;
/** The engine that others are compared with. */
const PEER = "PyTorch eager";
/** How cuDNN's input gradient of a convolution, a generator's forward pass, is called. */
const INPUT_GRADIENT = "__cudnn$convBackwardInput";

/** Rows as a table in Markdown, with what XLA calls and the devices below. */
export function toTable(rows: readonly Measured[]): string {
  const methods = [...new Set(rows.map(({ method }) => method))];
  const body = methods.flatMap((method) => {
    const own = rows.filter((row) => row.method === method);
    const flops = own.find((row) => row.flops !== undefined)?.flops;
    const peer = own.find(({ engine }) => engine === PEER);
    return own.map((row) => toRow(row, { flops, peer }));
  });
  const calls = rows.filter(({ engine }) => engine === "laebench")
    .map((row) => describeCalls(row)).filter((line) => line !== undefined);
  const devices = [...new Set(rows.map(({ engine, device }) => `${engine}: ${device}`))];
  return [
    "| method | engine | s/step | steps/s | GFLOP/s | matrix product | fraction | compile | 500 steps | against eager |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...body,
    "",
    ...calls.flatMap((line) => [line, ""]),
    `Medians (least to most); ${rows[0].settings}. ${devices.join("; ")}.`,
  ].join("\n");
}

function toRow(
  { method, engine, steps, products, product, compile }: Measured,
  { flops, peer }: { readonly flops: number | undefined; readonly peer: Measured | undefined },
): string {
  const step = median(steps);
  const fractions = flops === undefined
    ? undefined
    : steps.map((s, i) => flops / s / (2 * product ** 3 / products[i])); // pair by pair: a drift cancels
  return `| ${
    [
      method,
      engine,
      `${digits(step)} (${digits(Math.min(...steps))} to ${digits(Math.max(...steps))})`,
      digits(1 / step),
      flops === undefined ? "–" : (flops / step / 1e9).toFixed(0),
      `${(2 * product ** 3 / median(products) / 1e9).toFixed(0)} GFLOP/s`,
      fractions === undefined ? "–" : median(fractions).toFixed(2),
      `${compile.toFixed(1)} s`,
      `${digits(EPOCH_STEPS * step)} s`,
      peer === undefined ? "–" : `${(median(peer.steps) / step).toFixed(2)}x`,
    ].join(" | ")
  } |`;
}

function describeCalls({ method, libraryCalls = {} }: Measured): string | undefined {
  const calls = Object.entries(libraryCalls);
  if (calls.length === 0) return undefined;
  const list = calls.sort().map(([name, count]) => `${name} ${count}`).join(", ");
  const lacks = INPUT_GRADIENT in libraryCalls
    ? ""
    : `; no ${INPUT_GRADIENT}: XLA runs the generator's convolutions in another form`;
  return `XLA's step of ${method} calls ${list}${lacks}.`;
}

function digits(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
