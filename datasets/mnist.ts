import type { Dataset } from "../harness/core/types.ts";
import { fileDataset, type FileSource } from "./parts/file_dataset.ts";
import { idxSource, mnistParts } from "./parts/idx_dataset.ts";

/** The mirror that TensorFlow uses; the author's page sometimes refuses downloads. */
const URL_PREFIX = "https://storage.googleapis.com/cvdf-datasets/mnist/";

/** Source of MNIST. */
export const mnistSource: FileSource = idxSource({
  name: "mnist",
  label: "MNIST",
  source:
    "Y. LeCun, C. Cortes, C. Burges: The MNIST database of handwritten digits; CC BY-SA 3.0 by common account",
  counts: { train: 60_000, test: 10_000 },
  parts: mnistParts(URL_PREFIX, {
    trainImages: {
      bytes: 9_912_422,
      sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
      unpackedSha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    trainLabels: {
      bytes: 28_881,
      sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
      unpackedSha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    testImages: {
      bytes: 1_648_877,
      sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
      unpackedSha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    testLabels: {
      bytes: 4_542,
      sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      unpackedSha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  }),
});

/** MNIST with all 70,000 images, from the data folder. */
export const mnist: Dataset = fileDataset(mnistSource);
