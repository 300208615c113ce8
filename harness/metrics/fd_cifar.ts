import { classifierMetrics } from "./classifier_metrics.ts";

/**
 * Scores in the features of a small CIFAR-10 classifier, for any 32x32 colour images, without a download. `fd_cifar` is the
 * Fréchet distance between generated and real images there. It is not an FID: network, data and dimension differ, so its
 * values are comparable only with other `fd_cifar` values.
 */
export const CIFAR_SCORES = classifierMetrics({
  name: "cifar",
  label: "CIFAR-10",
  file: "cifar_classifier.onnx",
  sha256: "5ba83d35b81658bd851533137ab660cc8ead62c5304c3803dd5cee65fd66b036",
  channels: 3,
  featureDim: 264, // 24 + 48 + 96 + 96
  classes: [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
  ],
});
