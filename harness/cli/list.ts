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

const OTHERS = { presets: PRESETS, devices: DEVICES, datasetForms: DATASET_FORMS };

/** Commands of `bench`. */
const COMMANDS = ["list", "toy"];

/** The command `list`. */
export function listCommand(tables: Tables): Command {
  return new Command("list")
    .description("print methods, data sets, metrics, presets, hyperparameters, sources, deviations")
    .argument("[name]", "print only the entry of this name")
    .option("--json", "print JSON")
    .action((name: string | undefined, { json }: { readonly json?: true }) => {
      const text = json ? listJson(tables, OTHERS, name) : listTables(tables, OTHERS, name);
      console.log(text.trimEnd());
    });
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
