import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fixture, withFolder } from "./parts/fixtures.ts";
import { DATASETS, resolveDataset } from "./mod.ts";

Deno.test("DATASETS keys are the names of the data sets", () => {
  for (const [key, { name }] of Object.entries(DATASETS)) assert.equal(key, name);
});

Deno.test("resolveDataset() finds table names and lists them for an unknown one", async () => {
  assert.equal(await resolveDataset("fashion_4k"), DATASETS.fashion_4k);
  for (const word of ["fashion4k", "", "toString", "__proto__"]) {
    await assert.rejects(resolveDataset(word), (error: Error) => {
      assert(error instanceof RangeError);
      assert.match(
        error.message,
        /^Unknown data set ".*": known data sets are fashion_4k, fashion_/,
      );
      return true;
    });
  }
});

Deno.test("resolveDataset() makes data sets of archives, at the size behind the @", async () => {
  await withData(async () => {
    const word = `archive:${fixture("pictures.zip")}@64`;
    const dataset = await resolveDataset(word);
    assert.equal(dataset.name, word);
    assert.deepEqual(dataset.image, { height: 64, width: 64, channels: 3 });
    assert.equal((await dataset.load("train")).count, dataset.counts.train);
    assert.equal((await resolveDataset(word.slice(0, -3))).image.height, 32);
  });
});

Deno.test("resolveDataset() takes a folder from where the user is", async () => {
  await withData(async (folder) => {
    await Deno.mkdir(join(folder, "mine", "train"), { recursive: true });
    await Deno.mkdir(join(folder, "mine", "test"));
    for (const part of ["train", "test"]) {
      await Deno.copyFile(fixture("mode_L.png"), join(folder, "mine", part, "a.png"));
    }
    Deno.env.set("INIT_CWD", folder);
    assert.deepEqual((await resolveDataset("folder:mine")).counts, { train: 1, test: 1 });
  });
});

for (
  const [word, message] of [
    [`folder:${fixture("absent")}`, /^There is no folder .*absent$/],
    [`folder:${fixture("absent@48")}`, /^There is no folder .*absent@48: sizes are @32 and @64$/],
    [`folder:${fixture("pictures.zip")}`, /pictures\.zip is no folder: write archive:/],
    [`archive:${fixture("")}`, /datasets\/? is a folder: write folder:/],
  ] as const
) {
  Deno.test(`resolveDataset() refuses what is not there as said: ${basename(word)}`, async () => {
    await assert.rejects(resolveDataset(word), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

/** Runs `body` with a data folder of its own. */
async function withData(body: (folder: string) => Promise<void>): Promise<void> {
  const before = ["LAEBENCH_DATA", "INIT_CWD"].map((name) => [name, Deno.env.get(name)] as const);
  await withFolder(async (folder) => {
    Deno.env.set("LAEBENCH_DATA", join(folder, "data"));
    Deno.env.delete("INIT_CWD");
    try {
      await body(folder);
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    }
  });
}
