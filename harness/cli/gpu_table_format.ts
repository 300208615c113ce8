import { median } from "../statistics/summary.ts";

/** Measurement of a method's step on one engine; times in seconds. */
export interface Measured {
  readonly engine: string;
  readonly method: string;
  /** Settings that the rows of one table share. */
  readonly settings: string;
  /** Time of each step. */
  readonly steps: readonly number[];
  /** Time of the matrix product after each step. */
  readonly products: readonly number[];
  /** Size of the product's matrices. */
  readonly product: number;
  readonly compile: number;
  /** Floating-point operations of a step; rows of other engines use those of laebench. */
  readonly flops?: number;
  /** Calls of NVIDIA's libraries in XLA's program, by name. */
  readonly libraryCalls?: Readonly<Record<string, number>>;
  /** Runtime, version and GPU. */
  readonly device: string;
}

/** Steps of an epoch of CIFAR-10 at batch size 100, for which the paper gives times. */
const EPOCH_STEPS = 500;
/** The engine to which others are compared. */
const PEER = "PyTorch eager";
/** Name of cuDNN's input gradient of a convolution, which computes a generator's forward pass. */
const INPUT_GRADIENT = "__cudnn$convBackwardInput";

/** Formats rows as a Markdown table, followed by XLA's library calls and the devices. */
export function toTable(rows: readonly Measured[]): string {
  const methods = [...new Set(rows.map(({ method }) => method))];
  const body = methods.flatMap((method) => {
    const ofMethod = rows.filter((row) => row.method === method);
    const flops = ofMethod.find((row) => row.flops !== undefined)?.flops;
    const peer = ofMethod.find(({ engine }) => engine === PEER);
    return ofMethod.map((row) => toRow(row, { flops, peer }));
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
    `Medians (minimum to maximum); ${rows[0].settings}. ${devices.join("; ")}.`,
  ].join("\n");
}

function toRow(
  { method, engine, steps, products, product, compile }: Measured,
  { flops, peer }: { readonly flops: number | undefined; readonly peer: Measured | undefined },
): string {
  const step = median(steps);
  const fractions = flops === undefined
    ? undefined
    : steps.map((s, i) => flops / s / (2 * product ** 3 / products[i])); // per pair, so that drift of the clock rate cancels
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
