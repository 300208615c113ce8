import assert from "node:assert/strict";
import { annotation, junit, publish } from "./verdicts.ts";

const VERDICTS = [
  { group: "bivariate, draws", name: "energy", failure: null },
  { group: "bivariate, draws", name: 'P(z < 1) & "q"', failure: "it is 2,\nat most 1: 100 %" },
];

Deno.test("junit() escapes names and counts failures", () => {
  const lines = junit(VERDICTS, { suite: "a < b", seconds: 1.25 }).split("\n");
  assert.equal(lines[2], '  <testsuite name="a &lt; b" tests="2" failures="1" time="1.250">');
  assert.deepEqual(lines.slice(3, 7), [
    '    <testcase classname="bivariate, draws" name="energy"/>',
    '    <testcase classname="bivariate, draws" name="P(z &lt; 1) &amp; &quot;q&quot;">',
    '      <failure message="it is 2, at most 1: 100 %"/>',
    "    </testcase>",
  ]);
});

Deno.test("annotation() keeps a failure on one line and ends its title where it ends", () => {
  assert.equal(
    annotation(VERDICTS[1]),
    '::error title=bivariate%2C draws%3A P(z < 1) & "q"::it is 2,%0Aat most 1: 100 %25',
  );
});

Deno.test("publish() keeps annotations out of a standard output that is JSON", async () => {
  const { log, error } = console;
  for (const json of [false, true]) {
    const [out, err]: string[][] = [[], []];
    Object.assign(console, {
      log: (text: string) => out.push(text),
      error: (text: string) => err.push(text),
    });
    try {
      await publish(VERDICTS, { suite: "s", seconds: 1, annotate: true, json });
    } finally {
      Object.assign(console, { log, error });
    }
    assert.deepEqual([out.length, err.length], json ? [0, 1] : [1, 0]);
  }
});
