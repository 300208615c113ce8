/**
 * `deno task conform`: the conformance tests of the methods and data sets that a module exports.
 *
 * @module
 */
import { Command } from "commander";
import { parseSetting, parseValue, unknownName, UsageError } from "../core/arguments.ts";
import type { Hyperparams, ImageShape, Method } from "../core/types.ts";
import { conformanceOf, type ConformanceTest, SMALL_PROBLEM } from "../testing/conformance.ts";
import { datasetConformanceOf } from "../testing/dataset_conformance.ts";
import { loadUserModule, type UserEntries } from "./user_modules.ts";

interface ConformArguments {
  readonly set?: readonly string[];
  readonly image?: string;
}

/** Defines the command `conform`; its action calls `end` with whether every test passed. */
export function conformCommand(end: (passed: boolean) => void): Command {
  const collect = (value: string, values: readonly string[] = []) => [...values, value];
  return new Command("conform")
    .description(
      "run the conformance tests on the methods and data sets that modules export: finite, reproducible, resumable to the same bits, equal compiled and eager; exit code 1 if one fails",
    )
    .argument("<modules...>", "files such as ./mine.ts")
    .option(
      "--set <METHOD.KEY=VALUE>",
      "a hyperparameter for the tests, such as one that makes the model small; repeatable",
      collect,
    )
    .option("--image <HxWxC>", "shape of the test images of methods", "8x8x1")
    .action(async (paths: readonly string[], typed: ConformArguments) => {
      const modules: UserEntries[] = [];
      for (const path of paths) modules.push(await loadUserModule(path));
      end(await conform(modules, typed));
    });
}

async function conform(
  modules: readonly UserEntries[],
  { set = [], image = "" }: ConformArguments,
): Promise<boolean> {
  const problem = { ...SMALL_PROBLEM, image: parseImage(image) };
  const methods = modules.flatMap((user) => user.methods);
  const hyper = readSettings(set, methods);
  const tests = [
    ...methods.flatMap((method) => conformanceOf(method, { hyper: hyper[method.name], problem })),
    ...modules.flatMap(({ datasets }) => datasets.flatMap(datasetConformanceOf)),
  ];
  let failed = 0;
  for (const test of tests) {
    const failure = await failureOf(test);
    if (failure !== undefined) failed++;
    console.log(
      failure === undefined ? `ok      ${test.name}` : `FAILED  ${test.name}: ${failure}`,
    );
  }
  console.log(`\n${tests.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

/** Characters of a message that are shown: comparisons of arrays go on for pages. */
const LONGEST_FAILURE = 300;

/** The message of the error that `test` rejects with, in one line; undefined if it passes. */
async function failureOf({ run }: ConformanceTest): Promise<string | undefined> {
  try {
    await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return message.trim().replaceAll(/\s*\n\s*/g, " ").slice(0, LONGEST_FAILURE);
  }
}

function parseImage(text: string): ImageShape {
  const [, height, width, channels] = /^(\d+)x(\d+)x(\d+)$/.exec(text)?.map(Number) ?? [];
  if (channels === undefined) {
    throw new UsageError(`--image must be like 32x32x3, got "${text}"`);
  }
  return { height, width, channels };
}

/** Hyperparameters by method. */
function readSettings(
  set: readonly string[],
  methods: readonly Method[],
): Readonly<Record<string, Hyperparams>> {
  const hyper: Record<string, Hyperparams> = {};
  for (const { method, key, value } of set.map(parseSetting)) {
    const known = methods.map(({ name }) => name);
    const owner = methods.find(({ name }) => name === method);
    if (owner === undefined) throw unknownName("method", method, known);
    const { defaults } = owner;
    if (!Object.hasOwn(defaults, key)) {
      throw unknownName(`hyperparameter of ${method}`, key, Object.keys(defaults));
    }
    const parsed = parseValue(value, { name: `${method}.${key}`, like: defaults[key] });
    hyper[method] = { ...hyper[method], [key]: parsed };
  }
  return hyper;
}
