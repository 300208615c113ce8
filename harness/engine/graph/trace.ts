import "../../core/nested_gradients.ts";
import * as tf from "@tensorflow/tfjs";
import { Builder } from "./builder.ts";
import type { Type, Value } from "./graph.ts";
import { sizeOf } from "./graph.ts";
import { KERNELS } from "./kernels.ts";
import { schedule } from "./loops.ts";
import type { Body, LoopBackend } from "../../core/repeat.ts";
import type { ArraySpec, PureFunction, State } from "../../core/types.ts";

/** A traced function: its state and outputs in terms of its inputs. */
export interface Traced {
  /** New values of the state entries that the function replaced; unchanged entries are omitted. */
  readonly state: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Builder of the graph, for further rewriting. */
  readonly builder: Builder;
}

/** Name of the tfjs backend whose kernels record instead of compute. */
export const TRACE_BACKEND = "laebench-trace";

/** Number of elements up to which a host array becomes a literal; a larger array is refused as frozen data. */
const LITERAL_LIMIT = 256;

/** The graph value of a traced tensor. */
interface Entry {
  readonly value: Value;
  refs: number;
}

/** Records kernels into a graph. A small host array or tensor of another backend becomes a literal. */
class TraceBackend extends tf.KernelBackend implements LoopBackend {
  builder = new Builder();
  readonly #entries = new tf.DataStorage<Entry>(this, tf.engine());

  add(value: Value): tf.TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { value, refs: 1 });
    return { dataId, shape: value.shape as number[], dtype: value.type };
  }

  tensor(value: Value): tf.Tensor {
    const { dataId, shape, dtype } = this.add(value);
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype, this);
  }

  valueFor({ dataId, shape }: { dataId: object; shape: readonly number[] }): Value {
    const { value } = this.#entries.get(dataId);
    // Reshape shares data in tfjs, so use the shape of the tensor.
    return this.builder.reshape(value, shape);
  }

  override write(values: tf.BackendValues | null, shape: number[], dtype: tf.DataType): object {
    const dataId = {};
    this.move(dataId, values, shape, dtype);
    return dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues | null,
    shape: number[],
    dtype: tf.DataType,
  ): void {
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
      throw new TypeError(
        `Tensors of a compiled step must be float32, int32 or bool, got ${dtype}`,
      );
    }
    const data = Array.from((values ?? [0]) as ArrayLike<number>, Number);
    if (data.length > LITERAL_LIMIT && data.some((x) => !Object.is(x, data[0]))) {
      throw new Error(
        `An array of shape [${shape}] would be frozen into the compiled step: pass it as state or input, or draw it as noise`,
      );
    }
    this.#entries.set(dataId, { value: this.builder.constant(data, shape, dtype), refs: 1 });
  }

  override readSync(dataId: object): tf.BackendValues {
    const { value } = this.#entries.get(dataId);
    if (value.op !== "constant") {
      throw new Error(
        "A value was read inside a compiled step: keep it a tensor (tf.where instead of if), or return it as a training metric",
      );
    }
    const { data } = value;
    const filled = data.length === 1 ? Array<number>(sizeOf(value.shape)).fill(data[0]) : data;
    return value.type === "float32"
      ? Float32Array.from(filled)
      : value.type === "int32"
      ? Int32Array.from(filled)
      : Uint8Array.from(filled);
  }

  override read(dataId: object): Promise<tf.BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#entries.has(dataId)) return true;
    const entry = this.#entries.get(dataId);
    if (--entry.refs > 0 && !force) return false;
    this.#entries.delete(dataId);
    return true;
  }

  override refCount(dataId: object): number {
    return this.#entries.has(dataId) ? this.#entries.get(dataId).refs : 0;
  }
  override incRef(dataId: object): void {
    this.#entries.get(dataId).refs++;
  }
  override numDataIds(): number {
    return this.#entries.numDataIds();
  }
  override timerAvailable(): boolean {
    return false;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7; // as tfjs-backend-cpu
  }
  override memory(): tf.MemoryInfo & { unreliable: boolean } {
    return { unreliable: true } as tf.MemoryInfo & { unreliable: boolean };
  }

  /** The body is traced once, on placeholders. */
  repeat<S extends State, E extends State>(count: number, state: S, body: Body<S, E>, each: E): S {
    const b = this.builder;
    const placeholder = (shapeOf: (t: tf.Tensor) => number[]) => ([name, t]: [string, tf.Tensor]) =>
      [name, b.parameter(name, shapeOf(t), t.dtype as Type)] as const;
    const carried = Object.entries(state).map(placeholder((t) => t.shape));
    const slices = Object.entries(each).map(placeholder((t) => t.shape.slice(1)));
    const toTensors = (values: readonly (readonly [string, Value])[]) =>
      Object.fromEntries(values.map(([name, v]) => [name, this.tensor(v)]));
    const next = body(toTensors(carried) as S, toTensors(slices) as E);
    const outputs = carried.map(([name, p]) => {
      const tensor = next[name];
      if (!tensor || tensor.shape.join() !== p.shape.join() || tensor.dtype !== p.type) {
        throw new RangeError(
          `repeat: the body must return "${name}" as ${p.type} [${p.shape}], got ${
            tensor ? `${tensor.dtype} [${tensor.shape}]` : "nothing"
          }`,
        );
      }
      return this.valueFor(tensor);
    });
    const first = Math.min(...carried.map(([, p]) => p.id));
    if (schedule(outputs).some((v) => v.op === "noise" && v.id > first)) {
      throw new Error(
        "Noise was drawn inside repeat(), where every iteration would get the same numbers: draw it [count, ...] before the loop and pass it in `each`",
      );
    }
    const results = b.loop({
      count,
      body: { carried: carried.map(([, p]) => p), each: slices.map(([, p]) => p), outputs },
    }, {
      initial: Object.values(state).map((t) => this.valueFor(t)),
      each: Object.values(each).map((t) => this.valueFor(t)),
    });
    return toTensors(carried.map(([name], i) => [name, results[i]])) as S;
  }
}

tf.enableProdMode(); // no banner, no checks that would read values
const backend = new TraceBackend();
tf.registerBackend(TRACE_BACKEND, () => backend);

for (const [kernelName, kernel] of Object.entries(KERNELS)) {
  tf.registerKernel({
    kernelName,
    backendName: TRACE_BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const values = Object.fromEntries(
        Object.entries(inputs as Record<string, tf.TensorInfo>).map((
          [name, t],
        ) => [name, backend.valueFor(t)]),
      );
      const result = kernel({
        b: backend.builder,
        inputs: values,
        attrs: (attrs ?? {}) as Record<string, never>,
      });
      return Array.isArray(result) ? result.map((v) => backend.add(v)) : backend.add(result);
    },
  });
}

/**
 * Runs `fn` on symbols and records its graph. Throws if `fn` reads a value, draws from Math.random, freezes an array
 * of more than 256 elements, or calls a kernel that is not in the table.
 */
export function trace(
  fn: PureFunction,
  specs: {
    readonly state: Readonly<Record<string, ArraySpec>>;
    readonly inputs: Readonly<Record<string, ArraySpec>>;
  },
): Traced {
  const previous = tf.getBackend() ?? "cpu"; // undefined before the first use of tfjs
  const builder = new Builder();
  const inputs = (group: string, named: Readonly<Record<string, ArraySpec>>) =>
    Object.entries(named).map(([name, s]) =>
      [name, builder.input(`${group}.${name}`, s.shape, s.dtype)] as const
    );
  const stateIn = inputs("state", specs.state);
  const inputsIn = inputs("input", specs.inputs);
  const random = Math.random;
  backend.builder = builder;
  tf.setBackend(TRACE_BACKEND); // synchronous for a backend created synchronously
  Math.random = () => {
    throw new Error(
      "A host random number was drawn inside a compiled step and would be the same in every step: use noise",
    );
  };
  try {
    let state: [string, Value][] = [];
    let outputs: [string, Value][] = [];
    tf.tidy(() => {
      const symbols = (values: readonly (readonly [string, Value])[]) =>
        Object.fromEntries(values.map(([name, v]) => [name, backend.tensor(v)]));
      const result = fn({ state: symbols(stateIn), inputs: symbols(inputsIn) });
      const before = new Map(stateIn);
      outputs = Object.entries(result.outputs).map(([name, t]) => [name, backend.valueFor(t)]);
      state = Object.entries(result.state ?? {}).map(([name, t]): [string, Value] => {
        const old = before.get(name);
        if (!old) {
          throw new RangeError(`The step returned a state entry "${name}" that it was not given`);
        }
        const value = backend.valueFor(t);
        if (value.shape.join() !== old.shape.join() || value.type !== old.type) {
          throw new RangeError(
            `The step changed state "${name}" from ${old.type} [${old.shape}] to ${value.type} [${value.shape}]`,
          );
        }
        return [name, value];
      }).filter(([name, value]) => value !== before.get(name));
    });
    return { state: Object.fromEntries(state), outputs: Object.fromEntries(outputs), builder };
  } catch (error) {
    throw error instanceof Error && /Kernel '(\w+)' not registered/.test(error.message)
      ? new Error(
        `tfjs kernel ${
          /'(\w+)'/.exec(error.message)?.[1]
        } is not compiled: use other operations, or add it to harness/engine/graph/kernels.ts`,
      )
      : error;
  } finally {
    Math.random = random;
    tf.setBackend(previous);
  }
}
