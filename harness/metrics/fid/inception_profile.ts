/**
 * Profiles an Inception session with ONNX Runtime's profiler.
 *
 * @module
 */
import { dirname } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import * as z from "zod";
import { INPUT_SIDE } from "./preprocess.ts";

/** Time and work of one kind of node. */
export interface ProfileRow {
  /** Such as `Conv 3x3` or `MaxPool`. */
  readonly kind: string;
  readonly seconds: number;
  /** Number of multiply-adds. */
  readonly macs: number;
}

const SHAPES = z.array(z.record(z.string(), z.array(z.number())));

const EVENT = z.object({
  cat: z.string(),
  name: z.string(),
  /** Duration in microseconds. */
  dur: z.number(),
  args: z.object({
    op_name: z.string(),
    input_type_shape: SHAPES,
    output_type_shape: SHAPES,
  }).partial(),
});

/** Runs the ONNX file `model` on `images` images, one at a time, and sums its nodes by kind. */
export async function profileInception(
  model: string,
  { threads, images }: { readonly threads: number; readonly images: number },
): Promise<readonly ProfileRow[]> {
  const folder = await Deno.makeTempDir({ dir: dirname(model) });
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableProfiling: true,
    profileFilePrefix: `${folder}/profile`,
  });
  const pixels = new Float32Array(3 * INPUT_SIDE * INPUT_SIDE);
  const feeds = { images: new Tensor("float32", pixels, [1, 3, INPUT_SIDE, INPUT_SIDE]) };
  const warmUps = 2;
  for (let i = 0; i < images + warmUps; i++) await session.run(feeds);
  session.endProfiling();
  await session.release();
  const [file] = [...Deno.readDirSync(folder)];
  const events = z.array(z.unknown()).parse(
    JSON.parse(await Deno.readTextFile(`${folder}/${file.name}`)),
  );
  return sumEvents(events, { runs: images + warmUps, warmUps });
}

/**
 * Sums the node events of a profile of `runs` equal runs by kind, without the first `warmUps`, longest first.
 * Convolutions are grouped by kernel size.
 */
export function sumEvents(
  events: readonly unknown[],
  { runs, warmUps }: { readonly runs: number; readonly warmUps: number },
): readonly ProfileRow[] {
  const nodes = events.map((event) => EVENT.safeParse(event).data)
    .filter((event) => event?.cat === "Node" && event.name.endsWith("_kernel_time"))
    .filter((event) => event !== undefined);
  const rows = new Map<string, { kind: string; seconds: number; macs: number }>();
  for (const { dur, args } of nodes.slice(Math.round(nodes.length * warmUps / runs))) {
    const [x, weight] = args.input_type_shape ?? [];
    const [out] = args.output_type_shape ?? [];
    const op = args.op_name ?? "unknown";
    const kernel = op.endsWith("Conv") && weight ? Object.values(weight)[0].slice(1) : undefined;
    const kind = kernel ? `Conv ${kernel.slice(1).join("x")}` : op;
    const macs = kernel ? product(Object.values(out ?? x)[0]) * product(kernel) : 0;
    const row = rows.get(kind) ?? { kind, seconds: 0, macs: 0 };
    rows.set(kind, { kind, seconds: row.seconds + dur / 1e6, macs: row.macs + macs });
  }
  return [...rows.values()].sort((a, b) => b.seconds - a.seconds);
}

function product(values: readonly number[]): number {
  return values.reduce((a, b) => a * b, 1);
}
