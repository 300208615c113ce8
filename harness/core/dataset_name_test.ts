import assert from "node:assert/strict";
import {
  absoluteName,
  baseName,
  parseOwnImages,
  parseTableName,
  pathOfDataset,
} from "./dataset_name.ts";
import { userPath } from "./project.ts";

Deno.test("parseOwnImages() takes @32 and @64 for the size, and any other @ for a part of the path", () => {
  const cases: [string, string | undefined, number | undefined][] = [
    ["folder:pics", "pics", undefined],
    ["folder:/my/pics@64", "/my/pics", 64],
    ["folder:pics@7", "pics@7", undefined],
    ["folder:pics@7@32", "pics@7", 32],
    ["archive:a@64.zip", "a@64.zip", undefined],
    ["svhn", undefined, undefined],
    ["web:pics", undefined, undefined],
  ];
  for (const [name, path, size] of cases) {
    const own = parseOwnImages(name);
    assert.deepEqual([own?.path, own?.size], [path, size], name);
    assert.equal(pathOfDataset(`heldout:${name}`), path);
    assert.equal(pathOfDataset(`inpaint:block-0.5:heldout:${name}`), path);
    assert.equal(baseName(`inpaint:block-0.5:heldout:${name}`), name);
  }
});

Deno.test("parseTableName() takes the size after @, then the class after -", () => {
  const cases: [string, string, number | undefined, number | undefined][] = [
    ["mnist", "mnist", undefined, undefined],
    ["mnist@28", "mnist", 28, undefined],
    ["mnist-3", "mnist", undefined, 3],
    ["mnist@28-3", "mnist", 28, 3],
    ["mnist-3@28", "mnist-3", 28, undefined],
    ["mnist@", "mnist@", undefined, undefined],
    ["@28", "@28", undefined, undefined],
  ];
  for (const [name, base, size, anomaly] of cases) {
    assert.deepEqual(parseTableName(name), { base, size, anomaly }, name);
  }
});

Deno.test("absoluteName() resolves the path once, and leaves absolute paths and other names", () => {
  const absolute = `heldout:folder:${userPath("pics@7")}@64`;
  assert.equal(absoluteName("heldout:folder:pics@7@64"), absolute);
  assert.equal(absoluteName(absolute), absolute);
  const hiding = "recover:pixels-0.5:";
  assert.equal(absoluteName(`${hiding}heldout:folder:pics@7@64`), hiding + absolute);
  for (const name of ["fashion_4k", `${hiding}fashion_4k`]) assert.equal(absoluteName(name), name);
});
