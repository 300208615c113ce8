/**
 * Gradients of comparisons and of logical operations, which are zero wherever they exist. TensorFlow.js has none, so that a
 * mask of `tf.where` that depends on the variable cannot be differentiated without them. Importing the module registers them.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

const BINARY = [
  "Equal",
  "NotEqual",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
];

const zeros = (x: tf.Tensor) => () => tf.zeros(x.shape);

for (const kernelName of BINARY) {
  tf.registerGradient({
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (_dy, saved) => {
      const [a, b] = saved;
      return { a: zeros(a), b: zeros(b) };
    },
  });
}
tf.registerGradient({
  kernelName: "LogicalNot",
  inputsToSave: ["x"],
  gradFunc: (_dy, [x]) => ({ x: zeros(x) }),
});
