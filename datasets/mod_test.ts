import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fixture, withFolder } from "./parts/fixtures.ts";
import { DATASETS, resolveDataset } from "./mod.ts";

Deno.test("the keys of DATASETS are the names of the data sets", () => {
  for (const [key, { name }] of Object.entries(DATASETS)) assert.equal(key, name);
});

Deno.test("resolveDataset() finds table names and lists them for an unknown one", async () => {
  assert.equal(await resolveDataset("fashion_4k"), DATASETS.fashion_4k);
  for (const name of ["fashion4k", "", "toString", "__proto__"]) {
    await assert.rejects(resolveDataset(name), (error: Error) => {
      assert(error instanceof RangeError);
      assert.match(
        error.message,
        /^Unknown data set ".*": known data sets are fashion_4k, fashion_/,
      );
      return true;
    });
  }
});

Deno.test("resolveDataset() makes data sets of archives at the size after the @", async () => {
  await withData(async () => {
    const name = `archive:${fixture("pictures.zip")}@64`;
    const dataset = await resolveDataset(name);
    assert.equal(dataset.name, name);
    assert.deepEqual(dataset.image, { height: 64, width: 64, channels: 3 });
    assert.equal((await dataset.load("train")).count, dataset.counts.train);
    assert.equal((await resolveDataset(name.slice(0, -3))).image.height, 32);
  });
});

Deno.test("resolveDataset() resolves folders relative to the user's working directory", async () => {
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
  const [name, message] of [
    [`folder:${fixture("absent")}`, /^Folder not found: .*absent$/],
    [`folder:${fixture("absent@48")}`, /^Folder not found: .*absent@48: sizes are @32 and @64$/],
    [`folder:${fixture("pictures.zip")}`, /pictures\.zip is not a folder: write archive:/],
    [`archive:${fixture("")}`, /datasets\/? is a folder: write folder:/],
  ] as const
) {
  Deno.test(`resolveDataset() refuses a missing path or the wrong form: ${basename(name)}`, async () => {
    await assert.rejects(resolveDataset(name), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

/** Runs `body` with a temporary data folder. */
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
