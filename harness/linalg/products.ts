/**
 * Matrix products by ONNX Runtime, for sums over many images, where plain TypeScript is about ten times slower.
 *
 * @module
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel, type OnnxType } from "../formats/onnx_model.ts";

/** Array types of the supported element types. */
export interface ProductArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
}

/** A row-major matrix. */
export interface DenseMatrix<A> {
  readonly data: A;
  readonly rows: number;
  readonly columns: number;
}

/** A loaded product of one element type. */
export interface Product<A> extends AsyncDisposable {
  /** Computes a b^T [a.rows, b.rows] or a^T b [a.columns, b.columns], row-major. */
  run(a: DenseMatrix<A>, b: DenseMatrix<A>): Promise<A>;
}

/** Opens the product a b^T ("rows") or a^T b ("columns") for `type`, with `threads` threads. */
export async function openProduct<T extends keyof ProductArrays>(
  type: T,
  { over, threads }: { readonly over: "rows" | "columns"; readonly threads: number },
): Promise<Product<ProductArrays[T]>> {
  const value = (name: string) => ({
    name,
    type: type as OnnxType,
    shape: [`${name}0`, `${name}1`],
  });
  const model = encodeModel({
    name: "product",
    nodes: [{
      op: "Gemm",
      inputs: ["a", "b"],
      outputs: ["product"],
      attributes: over === "rows" ? { transB: 1 } : { transA: 1 },
    }],
    initializers: [],
    inputs: [value("a"), value("b")],
    outputs: [value("product")],
  });
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  return {
    async run(a, b) {
      const tensor = (m: DenseMatrix<ProductArrays[T]>) =>
        type === "float64"
          ? new Tensor("float64", m.data as Float64Array, [m.rows, m.columns])
          : new Tensor("float32", m.data as Float32Array, [m.rows, m.columns]);
      const { product } = await session.run({ a: tensor(a), b: tensor(b) });
      return product.data as ProductArrays[T]; // Gemm's output has the type of its inputs
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
