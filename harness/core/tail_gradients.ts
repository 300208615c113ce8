/**
 * Gradients of sigmoid, tanh and elu that keep their relative accuracy in the tails; those of tfjs are y (1 - y), 1 - y^2
 * and y + 1, which in float32 are 0 from x = 17, |x| = 9 and x = -17 on.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** sigmoid(x) sigmoid(-x), the derivative of sigmoid. */
const slope = (x: tf.Tensor) => tf.mul(tf.sigmoid(x), tf.sigmoid(tf.neg(x)));

/** Registers the gradients. A copy of tfjs that is loaded later replaces them by its own. */
export function registerTailGradients(): void {
  tf.registerGradient({
    kernelName: "Sigmoid",
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, slope(x)) }),
  });
  tf.registerGradient({
    kernelName: "Elu", // elu'(x) = e^min(x, 0)
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.exp(tf.minimum(x, 0))) }),
  });
  tf.registerGradient({
    kernelName: "Tanh", // tanh(x) = 2 sigmoid(2 x) - 1
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({
      x: () => tf.mul(dy as tf.Tensor, tf.mul(4, slope(tf.mul(2, x)))),
    }),
  });
}
