import "../../core/nested_gradients.ts";
import * as tf from "@tensorflow/tfjs";
import type {
  ArraySpec,
  Device,
  DeviceState,
  HostArray,
  HostArrays,
  PureFunction,
} from "../../core/types.ts";
import { registerTailGradients } from "../../core/tail_gradients.ts";
import { supplyPoolingGradients } from "./average_pooling.ts";
import { supplyNumberPadding } from "./number_padding.ts";
import { supplyStridedSlice } from "./strided_slice.ts";

supplyNumberPadding("cpu");
supplyPoolingGradients("cpu");
supplyStridedSlice("cpu");

interface EagerState extends DeviceState {
  readonly tensors: Readonly<Record<string, tf.Tensor>>;
}

/** Opens a device that runs each kernel immediately on a tfjs backend; the backend `cpu` is the reference of the tests. */
export async function openEager(name: string, backend: string): Promise<Device> {
  tf.enableProdMode(); // no banner, no per-kernel checks
  registerTailGradients();
  if (!await tf.setBackend(backend)) throw new Error(`tfjs backend "${backend}" did not start`);
  const toTensor = ({ data, shape, dtype }: HostArray) =>
    tf.tensor(data.slice(), shape as number[], dtype);
  const toHost = async (t: tf.Tensor): Promise<HostArray> => ({
    shape: t.shape,
    dtype: t.dtype as HostArray["dtype"],
    data: (await t.data()).slice() as Float32Array | Int32Array,
  });
  const mapValues = <A, B>(record: Readonly<Record<string, A>>, f: (a: A) => B) =>
    Object.fromEntries(Object.entries(record).map(([k, v]) => [k, f(v)]));
  const specOf = ({ shape, dtype }: { shape: readonly number[]; dtype: string }) =>
    ({ shape, dtype }) as ArraySpec;
  const wrap = (tensors: Record<string, tf.Tensor>): EagerState => ({
    specs: mapValues(tensors, specOf),
    tensors,
  });
  const readAll = async (tensors: Readonly<Record<string, tf.Tensor>>): Promise<HostArrays> =>
    Object.fromEntries(
      await Promise.all(Object.entries(tensors).map(async ([k, t]) => [k, await toHost(t)])),
    );
  return {
    name,
    description: `tfjs ${tf.version.tfjs} ${backend} (eager)`,
    upload: async (arrays) => (await tf.setBackend(backend), wrap(mapValues(arrays, toTensor))),
    download: (state) => readAll((state as EagerState).tensors),
    compile: (fn: PureFunction) =>
      Promise.resolve({
        compiled: { nodes: 0, traceSeconds: 0, compileSeconds: 0, noiseCount: 0 },
        async run(state: DeviceState, inputs: HostArrays) {
          await tf.setBackend(backend);
          const { tensors } = state as EagerState;
          const result = tf.tidy(() => {
            const { state: next = {}, outputs } = fn({
              state: tensors,
              inputs: mapValues(inputs, toTensor),
            });
            return { next: { ...next }, outputs: { ...outputs } };
          });
          const outputs = await readAll(result.outputs);
          const next = { ...tensors, ...result.next };
          const kept = new Set(Object.values(next));
          tf.dispose(
            [...Object.values(tensors), ...Object.values(result.outputs)].filter((t) =>
              !kept.has(t)
            ),
          );
          return { state: wrap(next), outputs };
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
