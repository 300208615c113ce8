import { classifierMetrics } from "./classifier_metrics.ts";

/**
 * Scores in the features of a small Fashion-MNIST classifier, for tests and quick tables, without a download. `fd_fashion`
 * is the Fréchet distance between generated and real images there. It is not an FID: network, data and dimension differ, so
 * its values are comparable only with other `fd_fashion` values. The other scores see what it does not.
 */
export const FASHION_SCORES = classifierMetrics({
  name: "fashion",
  label: "Fashion-MNIST",
  file: "fashion_classifier.onnx",
  sha256: "7f3cde1e3659343147705f22f00b1a72f3eb2aef8d6f8d5a4ef5afe4b890635c",
  channels: 1,
  unpadded: 28,
  featureDim: 176, // 16 + 32 + 64 + 64
  classes: [
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "boot",
  ],
});

/** The first of them. */
export const fdFashion = FASHION_SCORES.fd_fashion;
