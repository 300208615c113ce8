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
import "./upsampling_gradient.ts";

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

/** Registers the gradients of linear kernels that have none in tfjs. */
function registerMissing(): void {
  const run = (kernel: string, inputs: tf.NamedTensorMap, attrs: object) =>
    tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
  tf.registerGradient({
    kernelName: "Conv2DBackpropFilter", // bilinear in x and dy, like the convolution itself
    inputsToSave: ["x", "dy"],
    gradFunc: (ddw, [x, dy], attrs) => {
      const filter = ddw as tf.Tensor;
      return {
        x: () => run("Conv2DBackpropInput", { dy, filter }, { ...attrs, inputShape: x.shape }),
        dy: () => run("Conv2D", { x, filter }, { ...attrs, dilations: [1, 1] }),
      };
    },
  });
  tf.registerGradient({
    kernelName: "AvgPoolGrad", // linear in dy, with AvgPool as its transpose
    inputsToSave: ["input"],
    gradFunc: (x, [input], attrs) => ({
      dy: () => run("AvgPool", { x: x as tf.Tensor }, attrs),
      input: () => tf.zerosLike(input),
    }),
  });
  tf.registerGradient({
    kernelName: "StridedSlice",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attrs) => ({
      x: () => spread(dy as tf.Tensor, x.shape, attrs as unknown as StridedSliceAttrs),
    }),
  });
}

/** Attributes of StridedSlice; the masks are bits by axis. */
interface StridedSliceAttrs {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/** The gradient of a strided slice: `dy` at the places that the slice took from an array of `shape`, 0 elsewhere. */
function spread(dy: tf.Tensor, shape: number[], attrs: StridedSliceAttrs): tf.Tensor {
  const { begin, end, strides } = tf.slice_util.sliceInfo(
    shape,
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  );
  if (strides.some((s) => s < 1)) {
    throw new RangeError(
      `Strides of a slice with a gradient must be >= 1, got [${strides}]: use tf.reverse`,
    );
  }
  const taken = tf.slice_util.computeOutShape(begin, end, strides);
  return shape.reduce((x: tf.Tensor, size, axis) => {
    const [count, stride] = [taken[axis], strides[axis]];
    const outer = tf.util.sizeFromShape(shape.slice(0, axis));
    const inner = tf.util.sizeFromShape(taken.slice(axis + 1));
    const open = tf.reshape(x, [outer, count, 1, inner]);
    const gaps = tf.pad(open, [[0, 0], [0, 0], [0, stride - 1], [0, 0]]);
    const extent = Math.max(0, (count - 1) * stride + 1);
    const line = tf.reshape(gaps, [outer, count * stride, inner]);
    const padded = tf.pad(
      tf.slice(line, [0, 0, 0], [outer, extent, inner]),
      [[0, 0], [begin[axis], size - begin[axis] - extent], [0, 0]],
    );
    return tf.reshape(padded, [...shape.slice(0, axis + 1), ...taken.slice(axis + 1)]);
  }, tf.reshape(dy, taken));
}
