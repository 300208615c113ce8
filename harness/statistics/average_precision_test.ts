import assert from "node:assert/strict";
import { averagePrecision } from "./average_precision.ts";

Deno.test("averagePrecision() by hand, with ties, and at its limits", () => {
  const yes = (text: string) => [...text].map((c) => c === "+");
  assert.equal(averagePrecision([4, 3, 2, 1], yes("++--")), 1);
  // Precision 1 / 2 at recall 1 / 2, and 2 / 4 at 1.
  assert.equal(averagePrecision([4, 3, 2, 1], yes("-+-+")), 0.5);
  // scikit-learn's example: 1 at recall 1 / 2, 2 / 3 at 1.
  assert.ok(Math.abs(averagePrecision([0.1, 0.4, 0.35, 0.8], yes("--++")) - 5 / 6) < 1e-15);
  // All tied: the share of positives.
  assert.equal(averagePrecision([1, 1, 1, 1, 1], yes("+---+")), 0.4);
  assert.throws(() => averagePrecision([1, 2], yes("--")), /^RangeError: No row is positive$/);
  assert.throws(() => averagePrecision([1, NaN], yes("+-")), /^RangeError: A score is not finite$/);
});
