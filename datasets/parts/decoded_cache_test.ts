import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "./fixtures.ts";
import { type Decoded, type DecodedKey, loadThroughCache, readDecoded } from "./decoded_cache.ts";

const KEY: DecodedKey = { name: "tiny", split: "train", definition: "as is", sources: ["a", "b"] };
const DECODED: Decoded = {
  image: { height: 1, width: 2, channels: 3 },
  pixels: Uint8Array.from({ length: 12 }, (_, i) => i),
  labels: Uint8Array.of(7, 8),
};

/** Makes a decoder that counts its calls. */
function decoder(decoded = DECODED): (() => Promise<Decoded>) & { calls: number } {
  const decode = () => {
    decode.calls++;
    return Promise.resolve(decoded);
  };
  decode.calls = 0;
  return decode;
}

const pathOf = (folder: string, ending: string) =>
  join(
    folder,
    [...Deno.readDirSync(folder)].map(({ name }) => name).find((n) => n.endsWith(ending)) ?? "",
  );

Deno.test("loadThroughCache() decodes once and then returns the same set", async () => {
  await withFolder(async (folder) => {
    const decode = decoder();
    const first = await loadThroughCache({ folder, key: KEY }, decode);
    const second = await loadThroughCache({ folder, key: KEY }, decode);
    assert.equal(decode.calls, 1);
    for (const set of [first, second]) {
      assert.deepEqual(new Uint8Array(set.pixels), DECODED.pixels);
      assert.deepEqual(new Uint8Array(set.labels ?? []), DECODED.labels);
      assert.equal(set.count, 2);
      assert.equal(set.sha256, first.sha256);
    }
  });
});

Deno.test("loadThroughCache() caches sets without labels", async () => {
  await withFolder(async (folder) => {
    const { labels: _, ...unlabelled } = DECODED;
    await loadThroughCache({ folder, key: KEY }, decoder(unlabelled));
    assert.equal((await loadThroughCache({ folder, key: KEY }, decoder())).labels, undefined);
  });
});

Deno.test("loadThroughCache() decodes again if any part of the key changes", async () => {
  await withFolder(async (folder) => {
    const decode = decoder();
    await loadThroughCache({ folder, key: KEY }, decode);
    for (
      const change of [{ name: "other" }, { split: "test" }, { definition: "b" }, {
        sources: ["a"],
      }] as const
    ) {
      await loadThroughCache({ folder, key: { ...KEY, ...change } }, decode);
    }
    assert.equal(decode.calls, 5);
  });
});

for (
  const [criterion, damage] of [
    ["a changed pixel", (folder: string) => flip(pathOf(folder, ".raw"), 5)],
    ["a changed label", (folder: string) => flip(pathOf(folder, ".raw"), 13)],
    ["a truncated file", (folder: string) => Deno.truncate(pathOf(folder, ".raw"), 10)],
    ["a missing file", (folder: string) => Deno.remove(pathOf(folder, ".raw"))],
    ["a broken side-car", (folder: string) => Deno.writeTextFile(pathOf(folder, ".json"), '{"for')],
    ["an invalid side-car", (folder: string) => Deno.writeTextFile(pathOf(folder, ".json"), "{}")],
  ] as const
) {
  Deno.test(`loadThroughCache() decodes again after ${criterion} and repairs the cache`, async () => {
    await withFolder(async (folder) => {
      const decode = decoder();
      const { sha256 } = await loadThroughCache({ folder, key: KEY }, decode);
      await damage(folder);
      assert.equal(await readDecoded(folder, KEY), null);
      assert.equal((await loadThroughCache({ folder, key: KEY }, decode)).sha256, sha256);
      assert.equal(decode.calls, 2);
      assert.equal((await readDecoded(folder, KEY))?.sha256, sha256);
    });
  });
}

Deno.test("loadThroughCache() leaves no temporary file, and no file if decoding fails", async () => {
  await withFolder(async (folder) => {
    const cache = join(folder, "cache");
    const fail = () => Promise.reject(new Error("broken source"));
    await assert.rejects(loadThroughCache({ folder: cache, key: KEY }, fail), /broken source/);
    await assert.rejects(Deno.stat(cache), Deno.errors.NotFound);
    await Promise.all(
      [1, 2, 3].map(() => loadThroughCache({ folder: cache, key: KEY }, decoder())),
    );
    const names = [...Deno.readDirSync(cache)].map(({ name }) => name.replace(/^.*\./, "")).sort();
    assert.deepEqual(names, ["json", "raw"]);
  });
});

async function flip(path: string, at: number): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[at] ^= 1;
  await Deno.writeFile(path, bytes);
}
