import assert from "node:assert/strict";
import { join } from "node:path";
import { assertSameBytes, withFolder } from "./fixtures.ts";
import { sha256Hex } from "../../harness/core/image_set.ts";
import { readSourceFile } from "./source_file.ts";

const CONTENT = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
const FILE = { name: "a.bin", bytes: CONTENT.length, sha256: sha256Hex(CONTENT) };

Deno.test("readSourceFile() passes the file to its reader and returns the result", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.bin");
    await Deno.writeFile(path, CONTENT);
    const bytes = await readSourceFile(
      { path, file: FILE },
      (stream) => new Response(stream).bytes(),
    );
    assertSameBytes(bytes, CONTENT);
    // The whole file is checked even if the reader stops early.
    const first = await readSourceFile({ path, file: FILE }, async (stream) => {
      const reader = stream.getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return value?.[1];
    });
    assert.equal(first, 1);
  });
});

Deno.test("readSourceFile() reports a damaged file instead of the reader's error", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.bin");
    await Deno.writeFile(path, CONTENT.with(150_000, 255));
    const misled = () => Promise.reject(new SyntaxError("misled"));
    for (const use of [misled, (stream: ReadableStream) => new Response(stream).bytes()]) {
      await assert.rejects(readSourceFile({ path, file: FILE }, use), (error: Error) => {
        assert.match(
          error.message,
          /a\.bin is not a\.bin, or is damaged: SHA-256 must be [0-9a-f]{64}, got [0-9a-f]{64}/,
        );
        return true;
      });
    }
    await Deno.writeFile(path, CONTENT);
    await assert.rejects(readSourceFile({ path, file: FILE }, misled), /^SyntaxError: misled$/);
  });
});
