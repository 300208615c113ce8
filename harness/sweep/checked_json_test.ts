import assert from "node:assert/strict";
import { parseChecked, writeChecked } from "./checked_json.ts";

const VALUE = { schema: 1, name: "größer\n", scores: { gap: 1.25e-7 }, list: [1, null] };

Deno.test("parseChecked() reads what writeChecked() wrote, and lines without a checksum", () => {
  const line = writeChecked(VALUE);
  assert.deepEqual(parseChecked(line), VALUE);
  assert.deepEqual(parseChecked(JSON.stringify(VALUE)), VALUE);
  assert.deepEqual(Object.keys(JSON.parse(line)), [...Object.keys(VALUE), "sha256"]);
  // Python: hashlib.sha256(b'{"a":1}').hexdigest()
  const known = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
  assert.equal(writeChecked({ a: 1 }), `{"a":1,"sha256":"${known}"}`);
});

Deno.test("parseChecked() takes no flipped bit for data", () => {
  const bytes = new TextEncoder().encode(writeChecked(VALUE));
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] ^= 1 << bit;
      let read: unknown;
      try {
        read = parseChecked(new TextDecoder().decode(flipped));
      } catch (error) {
        assert.ok(error instanceof SyntaxError);
        continue;
      }
      // A bit of the word sha256 itself: the rest is as it was written.
      const { schema, name, scores, list } = read as typeof VALUE;
      assert.deepEqual({ schema, name, scores, list }, VALUE, `bit ${bit} of byte ${at}`);
    }
  }
});
