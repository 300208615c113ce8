import assert from "node:assert/strict";
import { DOMParser } from "linkedom";
import { annotation, junit } from "./verdicts.ts";

const VERDICTS = [
  { group: "bivariate, draws", name: "energy", failure: null },
  { group: "bivariate, draws", name: 'P(z < 1) & "q"', failure: "it is 2,\nat most 1: 100 %" },
];

Deno.test("junit() escapes names and counts failures", () => {
  const document = new DOMParser().parseFromString(
    junit(VERDICTS, { suite: "a < b", seconds: 1.25 }),
    "text/xml",
  );
  const suite = document.querySelector("testsuite");
  assert.deepEqual(
    ["name", "tests", "failures", "time"].map((key) => suite?.getAttribute(key)),
    ["a < b", "2", "1", "1.250"],
  );
  const cases = [...document.querySelectorAll("testcase")];
  assert.deepEqual(
    cases.map((c) => c.getAttribute("name")),
    VERDICTS.map(({ name }) => name),
  );
  const failures = cases.map((c) => c.querySelector("failure")?.getAttribute("message"));
  assert.deepEqual(failures, [undefined, "it is 2, at most 1: 100 %"]);
});

Deno.test("annotation() keeps a failure on one line and ends its title where it ends", () => {
  assert.equal(
    annotation(VERDICTS[1]),
    '::error title=bivariate%2C draws%3A P(z < 1) & "q"::it is 2,%0Aat most 1: 100 %25',
  );
});
