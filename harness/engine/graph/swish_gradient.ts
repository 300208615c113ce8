import type { Value } from "./graph.ts";

/**
 * Recognises the chain rule through swish(x) = x s, s = sigmoid(x), as tfjs writes it: the sum of a = dy s and
 * b = (dy x) (s sigmoid(-x)), factors in any order. Returns dy and x, for dy swish'(x); undefined if a + b has another form.
 */
export function swishChainRule(
  a: Value,
  b: Value,
): { readonly dy: Value; readonly x: Value } | undefined {
  for (const [dy, s] of factors(a)) {
    if (s.op !== "unary" || s.fn !== "sigmoid") continue;
    const [x] = s.inputs;
    const isInput = (value: Value) => factors(value).some(([p, q]) => p === dy && q === x);
    if (factors(b).some(([left, right]) => isInput(left) && isSlope(right, { s, x }))) {
      return { dy, x };
    }
  }
}

/** Whether `value` is s sigmoid(-x), with s = sigmoid(x). */
function isSlope(value: Value, { s, x }: { readonly s: Value; readonly x: Value }): boolean {
  return factors(value).some(([p, q]) => {
    if (p !== s || q.op !== "unary" || q.fn !== "sigmoid") return false;
    const [negative] = q.inputs;
    return negative.op === "unary" && negative.fn === "neg" && negative.inputs[0] === x;
  });
}

/** The factors of `value` in both orders; empty if it is not a product. */
function factors(value: Value): [Value, Value][] {
  if (value.op !== "binary" || value.fn !== "mul") return [];
  const [a, b] = value.inputs;
  return [[a, b], [b, a]];
}
