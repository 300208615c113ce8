/**
 * `bench list`: everything that the command line of `bench` can name, and the help for a name in the wrong place.
 *
 * @module
 */
import { Command } from "commander";
import { DATASET_FORMS } from "../../datasets/mod.ts";
import { nearestName, UsageError } from "../core/arguments.ts";
import { DEVICES } from "../engine/device.ts";
import { entryNames, listJson, listTables } from "../experiment/listing.ts";
import { PRESETS } from "../experiment/presets.ts";
import type { Tables } from "../experiment/spec.ts";
import { isModulePath, loadUserModule } from "./user_modules.ts";

const OTHERS = { presets: PRESETS, devices: DEVICES, datasetForms: DATASET_FORMS };
const NO_OTHERS = { presets: {}, devices: {}, datasetForms: [] };

/** Commands of `bench`. */
const COMMANDS = ["list", "toy"];

/** The command `list`. */
export function listCommand(tables: Tables): Command {
  return new Command("list")
    .description("print methods, data sets, metrics, presets, hyperparameters, sources, deviations")
    .argument("[name]", "print only the entry of this name, or those of a module: ./mine.ts")
    .option("--json", "print JSON")
    .action(async (name: string | undefined, { json }: { readonly json?: true }) => {
      const list = json ? listJson : listTables;
      const text = name !== undefined && isModulePath(name)
        ? list(await entriesOfModule(name), NO_OTHERS)
        : list(tables, OTHERS, name);
      console.log(text.trimEnd());
    });
}

/** The tables with nothing but the entries of a user's module. */
async function entriesOfModule(path: string): Promise<Tables> {
  const { methods, datasets } = await loadUserModule(path);
  return { methods: byName(methods), datasets: byName(datasets), metrics: {} };
}

function byName<T extends { readonly name: string }>(entries: readonly T[]): Record<string, T> {
  return Object.fromEntries(entries.map((entry) => [entry.name, entry]));
}

/** The error for `bench WORD`: suggests the option to which the name belongs, or the nearest command. */
export function misplacedWord(word: string, tables: Tables): UsageError {
  const places = entryNames(tables, OTHERS);
  const kind = Object.keys(places).find((option) => places[option].includes(word));
  if (kind !== undefined) {
    return new UsageError(`"${word}" is no command of bench: did you mean --${kind} ${word}?`);
  }
  const near = nearestName(word, [...COMMANDS, ...Object.values(places).flat()]);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return new UsageError(
    `"${word}" is no command of bench: known commands are ${COMMANDS.join(", ")}${hint}`,
  );
}
