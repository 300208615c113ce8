/** Small files that took seconds, gigabytes or a stack, or whose error hid its cause; found by `deno task test:fuzz` and by hand. */
import assert from "node:assert/strict";
import { gzipSync, zipSync, zlibSync } from "fflate";
import { withTempDir } from "../testing/temp_dir.ts";
import { gunzip, readIdx } from "./idx.ts";
import { openImageFiles } from "./image_files.ts";
import { readMat5 } from "./mat5.ts";
import { readNpy } from "./npy.ts";
import { type PickleTable, unpickle } from "./pickle.ts";

const TABLE: PickleTable = { globals: {}, persistent: () => null };
const encoder = new TextEncoder();

async function readMat(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for await (const { pieces } of readMat5(new Blob([bytes]).stream(), "a.mat")) {
    for await (const _ of pieces) { /* read */ }
  }
}

/** A MAT-file with one element of `type` and this content. */
function matFile(type: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(136 + content.length);
  bytes.set(encoder.encode("MATLAB 5.0 MAT-file".padEnd(116)));
  bytes.set([0, 1, 0x49, 0x4d], 124); // version 1, little-endian
  new DataView(bytes.buffer).setUint32(128, type, true);
  new DataView(bytes.buffer).setUint32(132, content.length, true);
  bytes.set(content, 136);
  return bytes;
}

Deno.test("unpickle() refuses a module that is a nest of tuples, without writing it out", () => {
  // ((), ()) doubled 40 times by memo, then used as the name of a module.
  const doublings = Array.from({ length: 40 }, () => [0x71, 0, 0x68, 0, 0x86]).flat();
  const bytes = Uint8Array.from([0x80, 4, 0x29, ...doublings, 0x8c, 1, 97, 0x93, 0x2e]);
  assert.throws(
    () => unpickle(bytes, 0, TABLE),
    /^SyntaxError: Pickle at byte \d+: a name is not a string$/,
  );
});

Deno.test("unpickle() appends any number of items at once", () => {
  const count = 200_000;
  const items = new Uint8Array(count).fill(0x4e);
  const { value } = unpickle(Uint8Array.from([0x5d, 0x28, ...items, 0x65, 0x2e]), 0, TABLE);
  assert.equal((value as unknown[]).length, count);
});

Deno.test("unpickle() names an unsupported global in a message of bounded length", () => {
  for (const letter of ["a", "\0"]) { // which JSON writes as \u0000
    const bytes = encoder.encode(`c${letter.repeat(1e5)}\nb\n.`);
    assert.throws(() => unpickle(bytes, 0, TABLE), ({ message }: Error) => message.length < 400);
  }
});

Deno.test("readMat5() refuses shapes that are not whole numbers of int32, or negative, or very long", async () => {
  const flags = [6, 0, 0, 0, 8, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
  const shapes = {
    uneven: [5, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0],
    negative: [5, 0, 0, 0, 8, 0, 0, 0, 255, 255, 255, 255, 1, 0, 0, 0],
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const file = matFile(14, Uint8Array.from([...flags, ...shape]));
    await assert.rejects(
      readMat(file),
      /^SyntaxError: a\.mat has an array with a broken shape$/,
      name,
    );
  }
  const long = matFile(14, Uint8Array.from([...flags, 5, 0, 0, 0, 0, 0, 0, 0xff]));
  await assert.rejects(readMat(long), /4278190080 bytes is too long: the file is broken/);
});

Deno.test("readMat5() says what is wrong with a compressed array, and keeps the cause", async () => {
  const packed = zlibSync(new Uint8Array(1000)).slice();
  packed[packed.length - 1] ^= 1; // the checksum
  await assert.rejects(readMat(matFile(15, packed)), (error: Error) => {
    assert.match(
      `${error}`,
      /^SyntaxError: A compressed array of a\.mat is broken or truncated \(/,
    );
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

Deno.test("readMat5() says what is wrong inside a compressed array, not what is wrong with its end", async () => {
  const small = [6, 0, 4, 0, 6, 0, 0, 0, 5, 0, 4, 0, 1, 0, 0, 0, 1, 0, 1, 0, 120, 0, 0, 0]; // flags, shape, name
  const real = [77, 0, 0, 0, 8, 0, 0, 0]; // of no known type
  const element = Uint8Array.from([
    14,
    0,
    0,
    0,
    100,
    0,
    0,
    0,
    ...small,
    ...real,
    ...new Uint8Array(2e5),
  ]);
  const packed = zlibSync(element).slice(0, -8);
  await assert.rejects(
    readMat(matFile(15, packed)),
    /^SyntaxError: Array "x" of A compressed array of a\.mat has unsupported element type 77$|^SyntaxError: Array "x" of a\.mat has unsupported element type 77$/,
  );
});

Deno.test("gunzip() refuses what is broken, and what unpacks to more than any IDX file", async () => {
  const sound = gzipSync(Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 7])).slice();
  assert.deepEqual(readIdx(await gunzip(sound)).shape, [1]);
  await assert.rejects(
    gunzip(sound.slice(0, -3)),
    /^SyntaxError: The IDX file is broken or truncated/,
  );
  const bomb = gzipSync(new Uint8Array(10_000)).slice();
  await assert.rejects(
    gunzip(bomb, { limit: 9_999 }),
    /^SyntaxError: The IDX file unpacks to more than 9999 bytes$/,
  );
});

Deno.test("readNpy() refuses more axes than an array of NumPy can have", () => {
  const header = `{'descr': '<f8', 'fortran_order': True, 'shape': (${"1,".repeat(10_000)}), }\n`;
  const bytes = new Uint8Array(12 + header.length + 8);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0]);
  new DataView(bytes.buffer).setUint32(8, header.length, true);
  bytes.set(encoder.encode(header), 12);
  assert.throws(() => readNpy(bytes), /^SyntaxError: \.npy array has more than 64 axes$/);
});

Deno.test("openImageFiles() follows at most 40 links one after another", () =>
  withTempDir(async (dir) => {
    const chain = async (length: number) => {
      const link = { os: 3, attrs: 0o120777 << 16 } as const;
      const links = Array.from({ length }, (_, i) => {
        const target = i + 1 < length ? `l${i + 1}.png` : "real.png";
        return [`l${i}.png`, [encoder.encode(target), link]] as const;
      });
      const path = `${dir}/${length}.zip`;
      await Deno.writeFile(
        path,
        zipSync({ "real.png": new Uint8Array(4), ...Object.fromEntries(links) }),
      );
      let count = 0;
      for await (const _ of (await openImageFiles(path)).files()) count++;
      return count;
    };
    assert.equal(await chain(40), 41);
    await assert.rejects(
      chain(41),
      /entry "l0\.png" is a link to a file that is not in the archive/,
    );
  }));
