/**
 * Published FIDs of energy-based models of images on CIFAR-10, as data: single runs, so that no deviation is known. They are
 * those of the table in the CPMLA paper, whose protocol is CoopFlow's: 50,000 samples against the 50,000 training images,
 * by pytorch-fid. The settings are those of each method's released code.
 *
 * @module
 */
import {
  assumedFrom,
  factsFrom,
  type Protocol,
  type PublishedScore,
  readPrinted,
  type Setting,
  unstated,
} from "./protocol.ts";

const SOURCE = "the CPMLA paper";

/** FID as printed, and the settings of the code, by method. IGEBM's number is of its own network. */
const ROWS: Readonly<
  Record<string, { readonly printed: string; readonly code: Readonly<Record<string, Setting>> }>
> = {
  ebm: {
    printed: "38.20",
    code: { nets: "IGEBM's ResNet", langevinSteps: 60, bufferSize: 10_000, batchSize: 128 },
  },
  coopvaebm: {
    printed: "36.20",
    code: { nets: "xie2021", width: 1, norm: "batch", langevinSteps: 15, batchSize: 250 },
  },
  coopflow: {
    printed: "21.16",
    code: { nets: "xie2022", width: 1, flowBlocks: 10, langevinSteps: 30, batchSize: 28 },
  },
};

function protocolOf(code: Readonly<Record<string, Setting>>): Protocol {
  return {
    ...factsFrom(SOURCE, { sampleCount: 50_000, trainCount: "all" }),
    ...assumedFrom("the released code", code),
    ...unstated("epochs", "resizing mode"),
  };
}

/** Every FID of the table that is of a method here. */
export const IMAGE_EBM_SCORES: readonly PublishedScore[] = Object.entries(ROWS).map(
  ([method, { printed, code }]) => ({
    method,
    dataset: "cifar10",
    metric: "fid",
    source: SOURCE,
    ...readPrinted(printed),
    protocol: protocolOf(code),
  }),
);
