import type { Preset } from "./presets.ts";
import type { Tables } from "./spec.ts";
import type { RunSpec } from "../core/types.ts";

/** Lists everything that the command line can name: methods with hyperparameters and deviations, data sets, metrics, presets, devices. */
export function listTables(
  { methods, datasets, metrics }: Tables,
  { presets, devices, datasetForms }: {
    readonly presets: Readonly<Record<string, Preset>>;
    readonly devices: Readonly<Record<string, string>>;
    /** Forms of data sets of the user's own images: `folder:PATH`. */
    readonly datasetForms: readonly string[];
  },
): string {
  const lines: string[] = ["Methods"];
  for (const method of Object.values(methods)) {
    lines.push(`  ${method.name}: ${method.label}, ${method.description}`);
    lines.push(`    source: ${method.source}`);
    for (const [key, value] of Object.entries(method.defaults)) {
      lines.push(`    ${method.name}.${key} = ${value}`);
    }
    for (const deviation of method.deviations) {
      lines.push(`    Deviation: ${deviation.replace(/^Deviation:\s*/, "")}`);
    }
  }
  lines.push("", "Data sets");
  for (const { name, label, image, counts, source } of Object.values(datasets)) {
    const shape = `${image.height}x${image.width}x${image.channels}`;
    lines.push(
      `  ${name}: ${label}, ${shape}, ${counts.train} training and ${counts.test} test images`,
    );
    lines.push(`    source: ${source}`);
  }
  lines.push(`  ${datasetForms.join(", ")}: your own images`);
  lines.push("", "Metrics");
  for (const { name, label, better } of Object.values(metrics)) {
    lines.push(`  ${name}: ${label}, ${better} is better`);
  }
  lines.push("", "Presets");
  for (const [name, preset] of Object.entries(presets)) {
    lines.push(`  ${name}: ${preset.about}`);
    lines.push(
      `    ${preset.methods ? `${preset.methods.join(", ")} on ` : ""}` +
        `${preset.datasets.join(", ")}; seeds ${
          preset.seeds.join(", ")
        }; ${preset.epochs} epochs of ` +
        `${preset.trainCount ?? "all"} images in batches of ${preset.batchSize}; ` +
        `${preset.sampleCount} samples for ${preset.metrics.join(", ") || "no score"}`,
    );
    for (const [method, overrides] of Object.entries(preset.hyper)) {
      for (const [key, value] of Object.entries(overrides)) {
        lines.push(`    ${method}.${key} = ${value}`);
      }
    }
  }
  lines.push("", "Devices");
  for (const [name, about] of Object.entries(devices)) lines.push(`  ${name}: ${about}`);
  return `${lines.join("\n")}\n`;
}

/** Lists the hyperparameters of `specs`: one line per method, or per group of its data sets if they differ. */
export function listHyper(specs: readonly RunSpec[]): string[] {
  return [...Map.groupBy(specs, ({ method }) => method)].flatMap(([method, own]) => {
    const variants = Map.groupBy(
      own,
      ({ hyper }) => Object.entries(hyper).map(([key, value]) => `${key}=${value}`).join(" "),
    );
    return [...variants].map(([hyper, alike]) => {
      const datasets = [...new Set(alike.map(({ dataset }) => dataset))].join(", ");
      return `${method}${variants.size === 1 ? "" : ` on ${datasets}`}: ${hyper}`;
    });
  });
}
