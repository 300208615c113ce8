import assert from "node:assert/strict";
import { gzipSync, zipSync } from "fflate";
import { bytesSource } from "./byte_source.ts";
import { tarMembers } from "./tar.ts";
import { zipMembers } from "./zip.ts";

const TEXT = new TextEncoder().encode("Langevin ".repeat(300));

function members(bytes: Uint8Array): Record<string, Uint8Array> {
  const found = zipMembers(bytesSource(bytes.slice()));
  return Object.fromEntries(found.map((member) => [member.name, member.read()]));
}

Deno.test("zipMembers() reads stored and deflated members, and skips folders", () => {
  const archive = zipSync({ "a/": new Uint8Array(), "a/b.txt": TEXT, c: [TEXT, { level: 0 }] });
  assert.deepEqual(members(archive), { "a/b.txt": TEXT, c: TEXT });
  assert.deepEqual(members(zipSync({})), {});
});

Deno.test("zipMembers() refuses an archive cut at any byte", () => {
  const archive = zipSync({ a: TEXT });
  for (let length = 0; length < archive.length; length++) {
    assert.throws(() => members(archive.slice(0, length)), SyntaxError);
  }
});

Deno.test("zipMembers() never returns content that was not packed", () => {
  const archive = zipSync({ a: TEXT });
  const start = 30 + 1, end = start + new DataView(archive.buffer).getUint32(18, true);
  let refused = 0;
  for (let at = start; at < end; at++) {
    const bytes = archive.slice();
    bytes[at] ^= 4;
    try {
      assert.deepEqual(members(bytes), { a: TEXT }); // a padding bit of deflate
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${at}: ${error}`);
      refused++;
    }
  }
  assert.ok(refused > 0.9 * (end - start));
});

Deno.test("zipMembers() refuses a member that unpacks to more than its header states, or states too much", () => {
  const bomb = zipSync({ a: new Uint8Array(50_000_000) });
  const view = new DataView(bomb.buffer);
  const central = bomb.length - 22 - 47; // one entry named by one letter
  assert.equal(view.getUint32(central, true), 0x02014b50);
  view.setUint32(central + 24, 1000, true);
  assert.throws(() => members(bomb), /more than the 1000 bytes its header states|is broken/);
  view.setUint32(central + 24, 2 ** 31, true);
  assert.throws(() => members(bomb), /too large/);
});

Deno.test("zipMembers() refuses encrypted and unknown methods", () => {
  const change = (offset: number, value: number) => {
    const archive = zipSync({ a: TEXT });
    new DataView(archive.buffer).setUint16(archive.length - 22 - 47 + offset, value, true);
    return archive;
  };
  assert.throws(() => members(change(8, 1)), /member a is encrypted/);
  assert.throws(() => members(change(10, 14)), /compression method 14/);
});

/** Converts an archive of one member to zip64: every field that zip64 can hold moves there. */
function widened(archive: Uint8Array): Uint8Array {
  const directoryEnd = archive.length - 22, start = directoryEnd - 47; // one entry named by one letter
  const view = new DataView(archive.buffer);
  const entry = archive.slice(start, directoryEnd);
  const wide = new DataView(new ArrayBuffer(28)); // extra field 1: size, packed size, offset
  wide.setUint16(0, 1, true);
  wide.setUint16(2, 24, true);
  for (const [from, to] of [[24, 4], [20, 12], [42, 20]]) {
    wide.setBigUint64(to, BigInt(view.getUint32(start + from, true)), true);
    entry.set([255, 255, 255, 255], from);
  }
  entry[30] = 28;
  const record = new DataView(new ArrayBuffer(56));
  record.setUint32(0, 0x06064b50, true);
  record.setBigUint64(32, 1n, true);
  record.setBigUint64(40, BigInt(entry.length + 28), true);
  record.setBigUint64(48, BigInt(start), true);
  const locator = new DataView(new ArrayBuffer(20));
  locator.setUint32(0, 0x07064b50, true);
  locator.setBigUint64(8, BigInt(start + entry.length + 28), true);
  const end = archive.slice(directoryEnd);
  end.fill(255, 8, 20);
  const bytes = (part: DataView) => new Uint8Array(part.buffer);
  return join(archive.slice(0, start), entry, bytes(wide), bytes(record), bytes(locator), end);
}

Deno.test("zipMembers() reads zip64 archives, and refuses broken zip64 records", () => {
  const archive = widened(zipSync({ a: TEXT }));
  assert.deepEqual(members(archive), { a: TEXT });
  const broken = archive.with(archive.length - 22 - 20 - 56, 0);
  assert.throws(() => members(broken), /zip64 record is broken/);
});

/** A ustar entry. */
function tarEntry(name: string, content: Uint8Array, type = "0"): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, value: string) => header.set(new TextEncoder().encode(value), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, content.length.toString(8).padStart(11, "0"));
  put(148, " ".repeat(8));
  put(156, type);
  put(257, "ustar\0" + "00");
  put(148, header.reduce((a, b) => a + b, 0).toString(8).padStart(6, "0") + "\0 ");
  const padded = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  padded.set(header);
  padded.set(content, 512);
  return padded;
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

async function tar(
  bytes: Uint8Array<ArrayBuffer>,
  pieceSize = 700,
): Promise<Record<string, Uint8Array>> {
  const pieces = Array.from(
    { length: Math.ceil(bytes.length / pieceSize) },
    (_, i) => bytes.slice(i * pieceSize, (i + 1) * pieceSize),
  );
  const out: Record<string, Uint8Array> = {};
  for await (const { name, bytes } of tarMembers(ReadableStream.from(pieces))) out[name] = bytes;
  return out;
}

const END = new Uint8Array(1024);

Deno.test("tarMembers() reads files and long names however the stream is cut, and skips links", async () => {
  const long = `${"deep/".repeat(40)}x.png`;
  const path = `path=ünï.png\n`;
  const record = `${new TextEncoder().encode(path).length + 3} ${path}`;
  const archive = join(
    tarEntry("a.txt", TEXT),
    tarEntry("folder/", new Uint8Array(), "5"),
    tarEntry("link", new Uint8Array(), "2"),
    tarEntry("././@LongLink", new TextEncoder().encode(`${long}\0`), "L"),
    tarEntry("short", TEXT.slice(0, 512)),
    tarEntry("pax", new TextEncoder().encode(record), "x"),
    tarEntry("other", new Uint8Array()),
    tarEntry("plain", new Uint8Array()),
    END,
  );
  const expected = {
    "a.txt": TEXT,
    [long]: TEXT.slice(0, 512),
    "ünï.png": new Uint8Array(),
    plain: new Uint8Array(),
  };
  for (const size of [1, 511, 700, 100_000]) assert.deepEqual(await tar(archive, size), expected);
});

Deno.test("tarMembers() refuses truncated archives and files of other formats", async () => {
  const archive = join(tarEntry("a.txt", TEXT), END);
  for (const length of [100, 513, 600, TEXT.length + 511]) {
    await assert.rejects(tar(archive.slice(0, length)), /truncated/);
  }
  await assert.rejects(tar(archive.with(3, 121)), /wrong checksum/);
  await assert.rejects(tar(gzipSync(TEXT).slice()), /truncated|not a tar archive/);
  await assert.rejects(tar(new Uint8Array(2000).fill(65)), /not a tar archive/);
});
