/**
 * Cache of compiled programs on disk, so that later runs of a step start without compiling.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../core/cache_folder.ts";
import type { Plugin } from "./pjrt_api.ts";
import type { Client, Executable, Signature } from "./pjrt_client.ts";
import type { XlaFlags } from "./pjrt_options.ts";
import { markUsed, pruneCache } from "./prune_cache.ts";

/** The parts of a client that the cache uses. */
export type Compiler =
  & Pick<Client, "platform" | "platformVersion" | "kind" | "compile" | "load">
  & { readonly plugin: Pick<Plugin, "path" | "version"> };

/** A program to compile. */
export interface Compilation {
  readonly text: string;
  readonly signature: Signature;
  readonly flags: XlaFlags;
  /** Folder for compiled programs; null to disable caching, `laebench/xla` in the user's cache by default. */
  readonly folder?: string | null;
  /** Maximum size of the folder in bytes; above it, the least recently used programs are removed. */
  readonly limit?: number;
}

/** Default maximum size of the folder: 2 GiB, enough for hundreds of training steps. */
const LIMIT = 2 ** 31;
/** Names of cached programs and of temporary files, which a process that dies leaves behind. */
const FILES = /^[0-9a-f]{64}\.bin(\.[0-9a-f-]+)?$/;

/** Bytes of the SHA-256 in front of a cached executable, which keeps broken files from the plugin. */
const DIGEST_SIZE = 32;

/**
 * Loads the program that an earlier process compiled from the same text and flags with the same plugin for the same kind
 * of device; compiles it otherwise. Without a cache folder it always compiles, and without write permission it caches
 * nothing. Errors in the folder, such as a full disk, are printed and do not stop the run.
 */
export async function cachedCompile(
  client: Compiler,
  { text, signature, flags, folder = cacheFolder("xla"), limit = LIMIT }: Compilation,
): Promise<Executable> {
  const compile = () => client.compile(text, signature, flags);
  if (!folder) return await compile();
  const path = join(folder, `${await keyOf(client, { text, flags })}.bin`);
  const writable = await mayWrite(folder);
  const cached = await readCached(path);
  if (cached) {
    try {
      const executable = await client.load(cached, signature);
      if (writable) await orReport(`${path} was not marked as used`, () => markUsed(path));
      return executable;
    } catch { /* written by another build of the plugin: compile and write it again below */ }
  }
  const executable = await compile();
  const bytes = writable ? trySerialize(executable) : undefined;
  if (bytes) {
    await orReport("The compiled program was not cached", () => keep(bytes, path));
    await orReport(
      `Old programs in ${folder} were not removed`,
      () => pruneCache(folder, { pattern: FILES, limit }),
    );
  }
  return executable;
}

/** Does `work`; prints `failure` and the reason if it fails. */
async function orReport(failure: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(`${failure}: ${(error as Error).message}`);
  }
}

/** Writes an executable to `path` atomically. */
async function keep(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<void> {
  const content = new Uint8Array(DIGEST_SIZE + bytes.length);
  content.set(digest(bytes));
  content.set(bytes, DIGEST_SIZE);
  // A unique name, because runs of a sweep, on one or several machines, may compile the same program at the same time.
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await Deno.writeFile(temporary, content, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not exist
    throw error;
  }
}

async function keyOf(
  { plugin, platform, platformVersion, kind }: Compiler,
  { text, flags }: Pick<Compilation, "text" | "flags">,
): Promise<string> {
  const { size, mtime, ctime, ino } = await Deno.stat(plugin.path); // equal size and time are not one file
  const identity = [
    plugin.path,
    size,
    mtime,
    ctime,
    ino,
    plugin.version,
    platform,
    platformVersion,
    kind,
  ];
  return createHash("sha256").update(JSON.stringify([identity, flags, text])).digest("hex");
}

async function readCached(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let content: Uint8Array<ArrayBuffer>;
  try {
    content = await Deno.readFile(path);
  } catch (error) {
    const { NotFound, NotCapable, PermissionDenied } = Deno.errors;
    if ([NotFound, NotCapable, PermissionDenied].some((kind) => error instanceof kind)) return;
    throw error;
  }
  const bytes = content.slice(DIGEST_SIZE);
  return digest(bytes).equals(content.subarray(0, DIGEST_SIZE)) ? bytes : undefined;
}

function trySerialize(executable: Executable): Uint8Array<ArrayBuffer> | undefined {
  try {
    return executable.serialize();
  } catch {
    return undefined; // this plugin does not support serialization
  }
}

async function mayWrite(folder: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "write", path: folder })).state === "granted";
}

function digest(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}
