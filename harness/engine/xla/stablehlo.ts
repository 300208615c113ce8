/**
 * Lowers the graph to a StableHLO module. A loop becomes a `stablehlo.while` with every value that it reads as an
 * operand (which values a region may capture is unspecified, stablehlo#606). State is donated to the results that
 * replace it.
 *
 * @module
 */
import type { ArraySpec, DType } from "../../core/types.ts";
import type { Value } from "../graph/graph.ts";
import { capturedBy, type Loop, schedule } from "../graph/loops.ts";
import { lowerOperation } from "./stablehlo_lower.ts";
import { type Precision, tensorType, type Term, Writer } from "./stablehlo_writer.ts";
import type { Traced } from "../graph/trace.ts";

/** An argument of the module. */
export interface StableHloInput {
  readonly group: "state" | "input";
  readonly name: string;
}

/** A result of the module. */
export interface StableHloOutput extends ArraySpec {
  readonly name: string;
}

/** A module and the mapping of its arguments and results to the traced function. */
export interface StableHloProgram {
  readonly text: string;
  /** Number of operations; those inside a loop count once. */
  readonly nodeCount: number;
  readonly inputs: readonly StableHloInput[];
  /** State entries that the function replaces, which are the first results. */
  readonly state: readonly StableHloOutput[];
  /** The remaining results. */
  readonly outputs: readonly StableHloOutput[];
  /** Positions in `inputs` whose buffers the run uses up. */
  readonly donated: readonly number[];
}

/** Writes a traced function as a module with one public function, `main`. */
export function emitStableHlo(
  { state, outputs }: Pick<Traced, "state" | "outputs">,
  { precision }: { readonly precision: Precision },
): StableHloProgram {
  const names = [...Object.keys(state), ...Object.keys(outputs)];
  const results = [...Object.values(state), ...Object.values(outputs)];
  const arguments_ = schedule(results).filter((v) => v.op === "input");
  const inputs = arguments_.map(argumentOf);
  let count = 0;
  const writer = new Writer({ next: () => count++, precision });
  const scope = new Scope(writer);
  arguments_.forEach((value, i) => scope.define(value, { ...value, id: `%arg${i}` }));
  scope.lower(results);

  const donated: number[] = [];
  const signature = arguments_.map((value, i) => {
    const result = inputs[i].group === "state" ? Object.keys(state).indexOf(inputs[i].name) : -1;
    if (result >= 0) donated.push(i);
    return `%arg${i}: ${tensorType(value)}` +
      (result >= 0 ? ` {tf.aliasing_output = ${result} : i32}` : "");
  });
  const types = results.map(tensorType).join(", ");
  const returned = results.map((v) => scope.term(v).id).join(", ");
  const specs = results.map((v, i): StableHloOutput => ({
    name: names[i],
    shape: v.shape,
    dtype: dtypeOf(v),
  }));
  const stateCount = Object.keys(state).length;
  return {
    text: [
      "module @step {",
      `func.func public @main(${signature.join(", ")}) -> (${types}) {`,
      ...writer.lines,
      results.length > 0 ? `return ${returned} : ${types}` : "return",
      "}",
      "}",
      "",
    ].join("\n"),
    nodeCount: count,
    inputs,
    state: specs.slice(0, stateCount),
    outputs: specs.slice(stateCount),
    donated,
  };
}

/** The values of one block and their names in it. */
class Scope {
  readonly #writer: Writer;
  readonly #terms = new Map<Value, Term>();
  readonly #loops = new Map<Value, readonly Term[]>();

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  define(value: Value, term: Term): void {
    this.#terms.set(value, term);
  }

  term(value: Value): Term {
    const known = this.#terms.get(value);
    if (known) return known;
    // Write literals again in each block instead of passing them into loops.
    if (value.op === "constant") return lowerOperation(this.#writer, value, []);
    throw new Error(`Value ${value.id} (${value.op}) was read before it was written`);
  }

  /** Writes the values on which `results` depend and that are not defined yet. */
  lower(results: readonly Value[]): void {
    for (const value of schedule(results, (v) => this.#terms.has(v))) {
      if (value.op === "constant") continue;
      if (value.op === "loop") this.#loops.set(value, this.#lowerLoop(value));
      else if (value.op === "result") {
        this.define(value, (this.#loops.get(value.inputs[0]) ?? [])[value.index]);
      } else {
        const inputs = value.inputs.map((v) => this.term(v));
        this.define(value, lowerOperation(this.#writer, value, inputs));
      }
    }
  }

  /** Writes a loop and returns its carried terms. Operands: counter, carried values, sources of slices, captured values. */
  #lowerLoop(loop: Loop): Term[] {
    const { carried, each, outputs } = loop.body;
    const captured = capturedBy(loop);
    const outer = [
      this.#writer.constant(loop.from, [], "int32"),
      ...[...loop.inputs, ...captured].map((v) => this.term(v)),
    ];
    const inner = outer.map((t) => ({ ...t, id: this.#writer.fresh() }));
    const [index, ...operands] = inner;

    const condition = this.#writer.region();
    const isLeft = condition.compare(
      "LT",
      index,
      condition.constant(loop.from + loop.count, [], "int32"),
    );

    const body = this.#writer.region();
    const scope = new Scope(body);
    carried.forEach((p, i) => scope.define(p, operands[i]));
    each.forEach((p, i) => scope.define(p, body.row(operands[carried.length + i], index)));
    captured.forEach((v, i) => scope.define(v, operands[loop.inputs.length + i]));
    scope.lower(outputs);
    const next = [
      body.binary("add", index, body.constant(1, [], "int32")),
      ...outputs.map((v) => scope.term(v)),
      ...operands.slice(carried.length),
    ];

    const types = inner.map(tensorType).join(", ");
    const id = this.#writer.fresh();
    const bindings = inner.map((t, i) => `${t.id} = ${outer[i].id}`).join(", ");
    this.#writer.lines.push(
      `${id}:${inner.length} = stablehlo.while(${bindings}) : ${types}`,
      "cond {",
      ...condition.lines,
      `stablehlo.return ${isLeft.id} : ${tensorType(isLeft)}`,
      "} do {",
      ...body.lines,
      `stablehlo.return ${next.map((t) => t.id).join(", ")} : ${types}`,
      "}",
    );
    return carried.map((p, i) => ({ id: `${id}#${i + 1}`, shape: p.shape, type: p.type }));
  }
}

function argumentOf(value: Value): StableHloInput {
  if (value.op !== "input") throw new Error(`Value ${value.id} (${value.op}) is not an input`);
  const [group, ...name] = value.name.split(".");
  return { group: group as "state" | "input", name: name.join(".") };
}

function dtypeOf({ type, op }: Value): DType {
  if (type === "bool") {
    throw new TypeError(
      `Outputs of a compiled function must be float32 or int32, got bool (${op}): cast it to int32`,
    );
  }
  return type;
}
