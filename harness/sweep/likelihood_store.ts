import * as z from "zod";
import type { AnnealedLikelihood, AnnealedResult, AnnealedSettings } from "../core/annealed.ts";
import { claimFolder } from "../core/file_lock.ts";
import { readTextIfAny, removeTemporary, replaceFile } from "../core/files.ts";
import { firstIssue } from "../experiment/record_schema.ts";
import { parseChecked, writeChecked } from "./checked_json.ts";

/** The file in an output folder with one `AnnealedResult` a line; the last line of a run and its settings wins. */
export const LIKELIHOOD_FILE = "likelihood.jsonl";

const MEAN_ESTIMATE = z.object({ mean: z.number(), standardError: z.number().min(0) });

const LIKELIHOOD = z.object({
  dimensions: z.int().min(1),
  test: MEAN_ESTIMATE.extend({
    imagesError: z.number().min(0),
    largestError: z.number().min(0),
  }),
  simulated: z.object({ lower: MEAN_ESTIMATE, upper: MEAN_ESTIMATE, gap: MEAN_ESTIMATE }),
  normaliser: z.object({
    lower: MEAN_ESTIMATE,
    upper: MEAN_ESTIMATE,
    chains: z.int().min(1),
    temperatures: z.int().min(1),
    acceptance: z.number().min(0).max(1),
  }).nullable(),
  curvature: z.number().min(0),
  acceptance: z.number().min(0).max(1),
});

const RESULT = z.object({
  schema: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{12}$/),
  settings: z.object({
    images: z.int().min(1),
    temperatures: z.int().min(1),
    chains: z.int().min(1),
  }),
  likelihood: LIKELIHOOD,
  seconds: z.number().min(0),
  device: z.string(),
  startedAt: z.iso.datetime(),
});

// The compiler keeps the schema and the types of core/annealed.ts the same.
const parsed = (result: z.infer<typeof RESULT>): AnnealedResult => result;
true satisfies AnnealedLikelihood extends z.infer<typeof LIKELIHOOD> ? true : never;

/** The results in `dir`; none if there is no file. Throws SyntaxError, with the line, for anything else. */
export async function readLikelihoods(dir: string): Promise<AnnealedResult[]> {
  const path = `${dir}/${LIKELIHOOD_FILE}`;
  const lines = (await readTextIfAny(path) ?? "").split("\n").filter((line) => line !== "");
  const results = lines.map((line, i) => parseLine(line, `${path} line ${i + 1}`));
  return [...new Map(results.map((result) => [keyOf(result), result])).values()];
}

function parseLine(line: string, where: string): AnnealedResult {
  let value: unknown;
  try {
    value = parseChecked(line);
  } catch (error) {
    throw new SyntaxError(`${where} is ${(error as Error).message}: move the file away`, {
      cause: error,
    });
  }
  const result = RESULT.safeParse(value);
  if (!result.success) {
    throw new SyntaxError(
      `${where} is not a likelihood (${firstIssue(result.error)}): move the file away`,
    );
  }
  return parsed(result.data);
}

/** The likelihood file of a folder, open for appending by one process at a time. */
export interface LikelihoodStore extends Disposable {
  /** Adds `result` to the file, which then holds it whole or not at all. */
  append(result: AnnealedResult): Promise<void>;
}

/** Claims the existing output folder `dir` and opens its likelihoods. Throws Error if another process has the folder. */
export async function openLikelihoods(dir: string): Promise<LikelihoodStore> {
  using opening = new DisposableStack();
  opening.use(await claimFolder(dir, { hint: "wait for it, or end it" }));
  await removeTemporary(dir);
  const path = `${dir}/${LIKELIHOOD_FILE}`;
  const opened = opening.move();
  return {
    async append(result) {
      const before = await readTextIfAny(path) ?? "";
      await replaceFile(path, `${before}${writeChecked(result)}\n`);
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Equal for results of one run at the same settings. */
export function keyOf(
  { id, settings: { images, temperatures, chains } }: {
    readonly id: string;
    readonly settings: AnnealedSettings;
  },
): string {
  return [id, images, temperatures, chains].join(" ");
}
