/**
 * Right derivatives of derivatives in TensorFlow.js 4.22; importing the module corrects the engine.
 *
 * A kernel whose gradient reads its own output (in tfjs Exp, Sigmoid, Tanh, Elu, Max, Pow) saves a clone of that output, and the
 * engine puts the clone on the tape before the kernel. The next gradient walks the tape from the variable on, meets the
 * clone before the output it copies, and takes the clone for a constant: of (e^x)'' = e^x dy the whole is lost, of swish''
 * a part, without an error. Here the kernel goes on the tape before its clones. First derivatives keep their operations.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import "./comparison_gradients.ts";
import { registerTailGradients } from "./tail_gradients.ts";

/** An operation on the tape, as in tfjs-core/src/tape.ts. */
interface TapeNode {
  readonly inputs: tf.NamedTensorMap;
  readonly outputs: readonly tf.Tensor[];
  readonly saved: readonly tf.Tensor[];
}

/** The private parts of the engine that hold the tape. */
interface TapeEngine {
  readonly state: { readonly activeTape: TapeNode[]; readonly gradientDepth: number };
  addTapeNode(name: string, ...rest: unknown[]): void;
}

/** Marks an engine that is corrected; tfjs has one for all copies of its modules. */
const CORRECTED = Symbol.for("laebench.nested_gradients");

correct(tf.engine() as unknown as TapeEngine & { [CORRECTED]?: true });
registerMissing();
registerTailGradients();

function correct(engine: TapeEngine & { [CORRECTED]?: true }): void {
  if (engine[CORRECTED]) return;
  if (typeof engine.addTapeNode !== "function" || !engine.state) {
    throw new Error(
      `TensorFlow.js ${tf.version.tfjs} keeps its tape in another form than 4.22, and may get second derivatives wrong: adapt harness/core/nested_gradients.ts`,
    );
  }
  const original = engine.addTapeNode;
  engine.addTapeNode = function (this: TapeEngine, name, ...rest) {
    original.call(this, name, ...rest);
    putBeforeClones(this.state, name);
  };
  engine[CORRECTED] = true;
}

/** Moves the operation at the end of the tape before the clones that it saved, which are the nodes before it. */
function putBeforeClones({ activeTape, gradientDepth }: TapeEngine["state"], name: string): void {
  const node = activeTape[activeTape.length - 1];
  const { saved } = node;
  if (saved.length === 0) return;
  const start = activeTape.length - 1 - saved.length;
  const clones = activeTape.slice(Math.max(start, 0), -1);
  const known = new Set([...Object.values(node.inputs), ...node.outputs]);
  const isTraceable = saved.every((tensor, i) =>
    clones[i]?.outputs[0] === tensor && known.has(Object.values(clones[i].inputs)[0])
  );
  if (isTraceable) activeTape.splice(start, saved.length + 1, node, ...clones);
  else if (gradientDepth > 1) {
    throw new Error(
      `Second derivatives of ${name} would be wrong: its gradient reads intermediate results that the tape does not connect with its input; write it in basic operations`,
    );
  }
}

/** Registers the gradient of the one kernel of gradients that has none in tfjs. */
function registerMissing(): void {
  tf.registerGradient({
    kernelName: "Conv2DBackpropFilter", // bilinear in x and dy, like the convolution itself
    inputsToSave: ["x", "dy"],
    gradFunc: (ddw, [x, dy], attrs) => {
      const filter = ddw as tf.Tensor;
      const run = (kernel: string, inputs: tf.NamedTensorMap, more: object) =>
        tf.engine().runKernel(
          kernel,
          inputs,
          { ...attrs, ...more } as tf.NamedAttrMap,
        ) as tf.Tensor;
      return {
        x: () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: x.shape }),
        dy: () => run("Conv2D", { x, filter }, { dilations: [1, 1] }),
      };
    },
  });
}
