/**
 * The image files of zip and tar archives and of NumPy's arrays. Errors begin with the path of the archive.
 *
 * @module
 */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { posix } from "node:path";
import { fileSource } from "./byte_source.ts";
import { byCodeUnit, type ImageFiles, Skipped } from "./image_rule.ts";
import { type TarLink, tarMembers } from "./tar.ts";
import { zipMembers } from "./zip.ts";

/** Largest file that is unpacked, in bytes: an image of 8192 x 8192 pixels needs 200 MB without compression. */
const FILE_LIMIT = 2 ** 28;

/** Links that are followed one after another, as in Linux. */
const LINK_LIMIT = 40;

/** The image files of the zip archive at `path`. */
export function openZip(path: string): ImageFiles {
  const skipped = new Skipped();
  /** The members to read by name; a link stands for its target. */
  const pictures = (file: Deno.FsFile) => {
    const members = new Map(zipMembers(fileSource(file)).map((member) => [member.name, member]));
    return [...members.values()].filter(({ name }) => checkEntry(name) && skipped.isRead(name))
      .sort((a, b) => byCodeUnit(a.name, b.name))
      .map((member) => {
        const { name } = member;
        const seen = new Set<string>();
        while (member.link) {
          const target = targetOf(member.name, new TextDecoder().decode(member.read()));
          const isLost = seen.has(target) || seen.size === LINK_LIMIT;
          const next = isLost ? undefined : members.get(target);
          seen.add(target);
          if (next === undefined) throw deadLink(name);
          member = next;
        }
        if (member.size > FILE_LIMIT) {
          throw new Error(
            `entry "${name}" unpacks to ${member.size} bytes: too large for an image`,
          );
        }
        return { name, member };
      });
  };
  using file = Deno.openSync(path);
  const names = pictures(file).map(({ name }) => name);
  return {
    path,
    names,
    skipped: () => skipped.describe(path),
    async *files() {
      using file = await Deno.open(path);
      for (const { name, member } of pictures(file)) {
        yield { name, bytes: named(path, () => member.read()) };
      }
    },
  };
}

/** The only file of `path`, a .npy array, or the array of images of an .npz archive: `arr_0`, or the only one. */
export function openArray(path: string): ImageFiles {
  const isArchive = /z$/i.test(path);
  const find = (file: Deno.FsFile) => {
    const members = zipMembers(fileSource(file));
    const found = members.find(({ name }) => name === "arr_0.npy") ?? members[0];
    if (found === undefined || (members.length > 1 && found.name !== "arr_0.npy")) {
      const names = members.map(({ name }) => name.replace(/\.npy$/, "")).join(", ");
      throw new Error(`no array arr_0, only ${names || "nothing"}: not an archive of images`);
    }
    return found;
  };
  if (isArchive) {
    using file = Deno.openSync(path);
    find(file);
  }
  return {
    path,
    names: [isArchive ? "arr_0.npy" : path],
    skipped: () => undefined,
    async *files() {
      if (isArchive) {
        using file = await Deno.open(path);
        yield { name: "arr_0.npy", bytes: named(path, () => find(file).read()) };
      } else yield { name: path, bytes: await Deno.readFile(path) };
    },
  };
}

/** Whether the .npz archive at `path`, which must exist, has statistics, `mu` and `sigma`; false for one of images. */
export function hasStatistics(path: string): boolean {
  return named(path, () => {
    using file = Deno.openSync(path);
    const names = zipMembers(fileSource(file)).map(({ name }) => name);
    return names.includes("mu.npy") || !names.includes("arr_0.npy");
  });
}

/** The image files of the tar archive at `path`. */
export function openTar(path: string): ImageFiles {
  const skipped = new Skipped();
  async function* members(onLink: (link: TarLink) => void) {
    try {
      yield* tarMembers(await openStream(path), { onLink, limit: FILE_LIMIT });
    } catch (error) {
      throw withPath(path, error);
    }
  }
  return {
    path,
    names: null,
    skipped: () => skipped.describe(path),
    async *files() {
      const links = new Map<string, string>();
      const onLink = ({ name, target, isHard }: TarLink) => {
        const isRead = named(path, () => checkEntry(name) && skipped.isRead(name));
        if (isRead) links.set(name, isHard ? posix.normalize(target) : targetOf(name, target));
      };
      for await (const { name, bytes } of members(onLink)) {
        if (named(path, () => checkEntry(name) && skipped.isRead(name))) yield { name, bytes };
      }
      if (links.size === 0) return;
      // A second pass for the files behind the links.
      const wanted = new Map<string, string[]>();
      for (const name of links.keys()) {
        let target = name;
        for (let hops = 0; links.has(target) && hops < LINK_LIMIT; hops++) {
          target = links.get(target) ?? target;
        }
        wanted.set(target, [...wanted.get(target) ?? [], name]);
      }
      for await (const { name, bytes } of members(() => {})) {
        const plain = posix.normalize(name);
        for (const link of wanted.get(plain) ?? []) yield { name: link, bytes };
        wanted.delete(plain);
      }
      const [dead] = [...wanted.values()].flat();
      if (dead !== undefined) throw withPath(path, deadLink(dead));
    },
  };
}

/** The content of a tar archive, unpacked; a .gz file may have several members, as pigz and bgzip write them. */
async function openStream(path: string): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path); // closed together with its stream
  if (/\.tar$/i.test(path)) return file.readable;
  const packed = Readable.fromWeb(file.readable as Parameters<typeof Readable.fromWeb>[0]);
  const unpacked = createGunzip();
  packed.on("error", (error) => unpacked.destroy(error));
  return Readable.toWeb(packed.pipe(unpacked)) as unknown as ReadableStream<Uint8Array>;
}

/** The member of an archive to which the link `name` leads. */
function targetOf(name: string, target: string): string {
  return posix.join(posix.dirname(name), target);
}

function deadLink(name: string): Error {
  return new Error(
    `entry "${name}" is a link to a file that is not in the archive: replace it by the file`,
  );
}

/** Refuses names that would lead out of the folder into which an archive is unpacked. */
function checkEntry(name: string): true {
  const parts = name.split(/[/\\]/);
  if (parts.includes("..") || parts[0] === "" || /^[a-z]:/i.test(name)) {
    throw new Error(`entry "${name}" leads out of the archive: remove it`);
  }
  return true;
}

/** Runs `work` and prefixes its errors with the path of the archive. */
export function named<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withPath(path, error);
  }
}

function withPath(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.message.includes(path)) return error;
  const reason = /unexpected end of file|incorrect header check|invalid/i.test(error.message)
    ? `broken or truncated (${error.message})`
    : error.message;
  const named = `${path}: ${reason}`;
  return error instanceof SyntaxError
    ? new SyntaxError(named, { cause: error })
    : new Error(named, { cause: error });
}
