import assert from "node:assert/strict";
import { join } from "node:path";
import { assertSameBytes, fixture, fixtureImages, withFolder } from "./parts/fixtures.ts";
import { decodeSvhn, svhnSource } from "./svhn.ts";

async function decodeFixture(name: string) {
  const file = await Deno.open(fixture(name));
  return await decodeSvhn(file.readable, name);
}

for (const name of ["svhn_plain.mat", "svhn_compressed.mat"]) {
  Deno.test(`decodeSvhn() reads a file written by scipy: ${name}`, async () => {
    const { image, pixels, labels } = await decodeFixture(name);
    // Rows stay rows: reading the column-major array transposed would give other pixels.
    assertSameBytes(pixels, fixtureImages([0, 1, 2], image));
    assert.deepEqual([...labels ?? []], [1, 0, 5]);
  });
}

Deno.test("decodeSvhn() refuses a file without images", async () => {
  await assert.rejects(
    decodeFixture("svhn_labels_only.mat"),
    /^SyntaxError: svhn_labels_only\.mat lacks the array X: not a file of SVHN's cropped digits$/,
  );
});

for (
  const [criterion, change, message] of [
    ["a page of HTML", () => new TextEncoder().encode("<html>".repeat(50)), /starts with "<html>/],
    ["an empty file", () => new Uint8Array(0), /ends at byte 0, 128 bytes too early/],
    ["a truncated file", (mat: Uint8Array<ArrayBuffer>) => mat.slice(0, 3000), /ends at byte 3000/],
    [
      "a file of version 7.3",
      (mat: Uint8Array<ArrayBuffer>) => {
        mat.set(new TextEncoder().encode("MATLAB 7.3"));
        return mat;
      },
      /version 7\.3 \(HDF5\), expected level 5/,
    ],
  ] as const
) {
  Deno.test(`decodeSvhn() refuses ${criterion}`, async () => {
    const bytes = change(await Deno.readFile(fixture("svhn_plain.mat")));
    await assert.rejects(decodeSvhn(new Blob([bytes]).stream(), "x.mat"), (error: Error) => {
      assert(error instanceof SyntaxError);
      assert.match(error.message, /^x\.mat /);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("decodeSvhn() refuses labels outside 1..10", async () => {
  const bytes = await Deno.readFile(fixture("svhn_plain.mat"));
  const at = bytes.lastIndexOf(10); // the label of the second image
  await assert.rejects(
    decodeSvhn(new Blob([bytes.with(at, 11)]).stream(), "x.mat"),
    /Label of image 1 in x\.mat must be in 1\.\.10, got 11/,
  );
});

Deno.test("svhnSource recognises another file of SVHN by its size", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "train_32x32.mat");
    using file = await Deno.open(path, { create: true, write: true });
    for (
      const [bytes, message] of [
        [64_275_384, /it has the size of test_32x32\.mat$/],
        [1_329_278_602, /it has the size of extra_32x32\.mat$/],
        [1000, /it is another file or incomplete$/],
      ] as const
    ) {
      await file.truncate(bytes); // a sparse file, which takes no space
      await assert.rejects(svhnSource.decode("train", () => Promise.resolve(path)), message);
    }
  });
});
