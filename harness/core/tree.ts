import { Tensor } from "@tensorflow/tfjs";
import type { State, Tree } from "./types.ts";

/** Lists the tensors of `tree` by their paths, joined by slashes: `{ a: { b: t } }` becomes `{ "a/b": t }`. */
export function flatten(tree: Tree): State {
  const flat: Record<string, Tensor> = {};
  for (const [name, node] of Object.entries(tree)) {
    if (node === undefined) continue;
    if (node instanceof Tensor) flat[name] = node;
    else {for (const [path, tensor] of Object.entries(flatten(node))) {
        flat[`${name}/${path}`] = tensor;
      }}
  }
  return flat;
}

/** Builds the tree whose tensors have the paths of `state`: the inverse of `flatten`, except for empty branches. */
export function unflatten(state: State): Tree {
  const tree: Record<string, Tensor | Tree> = {};
  const branches = new Map<string, Record<string, Tensor>>();
  for (const [path, tensor] of Object.entries(state)) {
    const slash = path.indexOf("/");
    if (slash < 0) {
      tree[path] = tensor;
      continue;
    }
    const name = path.slice(0, slash);
    const branch = branches.get(name) ?? {};
    branches.set(name, branch);
    tree[name] ??= {}; // keeps the order of the first path
    branch[path.slice(slash + 1)] = tensor;
  }
  for (const [name, branch] of branches) tree[name] = unflatten(branch);
  return tree;
}

/**
 * Maps each tensor of `tree`, with the tensors of `others` at the same path, by `f`. Throws RangeError if one of `others`
 * lacks a path.
 */
export function mapTree<T extends Tree>(
  tree: T,
  f: (tensors: readonly [Tensor, ...Tensor[]], path: string) => Tensor,
  ...others: readonly Tree[]
): T {
  const map = (node: Tree, rest: readonly Tree[], prefix: string): Tree =>
    Object.fromEntries(
      Object.entries(node).map(([name, child]) => {
        if (child === undefined) return [name, undefined];
        const path = prefix + name;
        const same = rest.map((other) => {
          const found = other[name];
          if (found === undefined || found instanceof Tensor !== child instanceof Tensor) {
            throw new RangeError(`Trees differ in shape at "${path}"`);
          }
          return found;
        });
        return child instanceof Tensor
          ? [name, f([child, ...same as Tensor[]], path)]
          : [name, map(child, same as Tree[], `${path}/`)];
      }),
    );
  return map(tree, others, "") as T;
}
