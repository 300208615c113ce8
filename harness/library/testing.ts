/**
 * Conformance tests of methods and data sets, as lists for any test runner.
 *
 * ```ts
 * import { conformanceOf } from "laebench/testing";
 *
 * for (const { name, run } of conformanceOf(myMethod)) Deno.test(name, run);
 * ```
 *
 * @module
 */
export * from "../testing/conformance.ts";
export * from "../testing/dataset_conformance.ts";
