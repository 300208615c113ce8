import assert from "node:assert/strict";
import {
  editDistance,
  nearestName,
  parseCount,
  parseDecimal,
  parseNames,
  parseSeed,
  parseSeeds,
  parseSetting,
  parseValue,
  unknownName,
  UsageError,
} from "./arguments.ts";

Deno.test("editDistance() of kitten and sitting is 3, and a swap counts once", () => {
  assert.equal(editDistance("kitten", "sitting"), 3); // Levenshtein's textbook pair
  assert.equal(editDistance("sitting", "kitten"), 3);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("lae", "lae"), 0);
  assert.equal(editDistance("lea", "lae"), 1); // one swap
});

Deno.test("nearestName() finds a misspelled name and no distant one", () => {
  const known = ["vae", "vae_flow", "lebm", "lae"];
  assert.equal(nearestName("lbem", known), "lebm");
  assert.equal(nearestName("transformer", known), undefined);
  assert.equal(nearestName("x", known), undefined);
});

Deno.test("unknownName() lists the known names and the nearest in one line", () => {
  const { message } = unknownName("method", "vea", ["vae", "lae"]);
  assert.equal(
    message,
    'Unknown method "vea": known methods are vae, lae; did you mean "vae"?',
  );
  for (
    const [kind, plural] of [
      ["rule or method", "rules or methods"],
      ["hyperparameter of lae", "hyperparameters of lae"],
      ["entry", "entries"],
    ]
  ) assert.match(unknownName(kind, "x", ["abc"]).message, new RegExp(`: known ${plural} are abc$`));
});

Deno.test("parseNames() keeps order, drops repeats, and refuses unknown names and empty lists", () => {
  const options = { kind: "method", known: ["vae", "lae"] };
  assert.deepEqual(parseNames("lae, vae,lae", options), ["lae", "vae"]);
  assert.throws(() => parseNames("lae,abc", options), /Unknown method "abc"/);
  assert.throws(() => parseNames(" ,", options), UsageError);
});

Deno.test("parseSeeds() reads ranges and lists", () => {
  assert.deepEqual(parseSeeds("0..2"), [0, 1, 2]);
  assert.deepEqual(parseSeeds("4,0..1,4"), [4, 0, 1]);
  for (const bad of ["", "a", "1..", "-1", "2..1", "0..5000", "1.5"]) {
    assert.throws(() => parseSeeds(bad), UsageError, bad);
  }
});

Deno.test("parseSeed() takes one seed, not a range", () => {
  assert.equal(parseSeed("12", "--seed"), 12);
  for (const bad of ["0..2", "0,1", "-1", "0x10", "1e3", "", " 1", "1000000000"]) {
    assert.throws(
      () => parseSeed(bad, "--seed"),
      /^UsageError: --seed must be one integer in/,
      bad,
    );
  }
});

Deno.test("parseDecimal() reads decimal numbers and nothing that only JavaScript calls one", () => {
  const good = { "12": 12, "-0.5": -0.5, ".5": 0.5, "5.": 5, "1e-4": 1e-4, "+2E3": 2000 };
  for (const [text, value] of Object.entries(good)) assert.equal(parseDecimal(text), value, text);
  for (
    const bad of ["", " ", "0x10", "0b1", "0o7", "1_000", "1,5", "1e999", "Infinity", "NaN", " 1"]
  ) {
    assert.equal(parseDecimal(bad), undefined, bad);
  }
});

Deno.test("parseCount() accepts integers >= 1", () => {
  assert.equal(parseCount("12", "--epochs"), 12);
  for (const bad of ["0", "-1", "1.5", "1e3", "", "many"]) {
    assert.throws(
      () => parseCount(bad, "--epochs"),
      /--epochs must be an integer >= 1, got "/,
      bad,
    );
  }
});

Deno.test("parseSetting() splits at the first dot and the first equals sign", () => {
  assert.deepEqual(parseSetting("lae.stepSize=1e-4"), {
    method: "lae",
    key: "stepSize",
    value: "1e-4",
  });
  assert.deepEqual(parseSetting("*.note=a=b"), { method: "*", key: "note", value: "a=b" });
  for (const bad of ["lae", "lae.x", "x=1", ".x=1"]) assert.throws(() => parseSetting(bad), bad);
});

Deno.test("parseValue() parses by the type of the default and refuses other values", () => {
  assert.equal(parseValue("1e-4", { name: "lae.stepSize", like: 1 }), 1e-4);
  assert.equal(parseValue("true", { name: "abp.persistent", like: false }), true);
  assert.equal(parseValue("tanh", { name: "lae.output", like: "none" }), "tanh");
  for (const bad of ["", "fast", "NaN", "Infinity", "0x10"]) {
    assert.throws(
      () => parseValue(bad, { name: "lae.stepSize", like: 1 }),
      /must be a finite decimal number/,
      bad,
    );
  }
  assert.throws(() => parseValue("1", { name: "abp.persistent", like: false }), /true or false/);
});
