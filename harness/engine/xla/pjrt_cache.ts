/**
 * Compiled programs on disk, so that the second run of a step starts at once.
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

/** What is used of a client. */
export type Compiler =
  & Pick<Client, "platform" | "platformVersion" | "kind" | "compile" | "load">
  & { readonly plugin: Pick<Plugin, "path" | "version"> };

/** What is compiled. */
export interface Compilation {
  readonly text: string;
  readonly signature: Signature;
  readonly flags: XlaFlags;
  /** Where compiled programs are kept; null for nowhere, by default `laebench/xla` in the user's cache. */
  readonly folder?: string | null;
  /** Bytes that the folder may hold: beyond them, what was used longest ago is removed. */
  readonly limit?: number;
}

/** 2 GiB: hundreds of training steps. */
const LIMIT = 2 ** 31;
/** Names of kept programs, and of those that are being written or were when a process died. */
const FILES = /^[0-9a-f]{64}\.bin(\.[0-9a-f-]+)?$/;

/** Bytes of SHA-256 in front of a cached executable: a plugin should not be handed a broken one. */
const DIGEST_SIZE = 32;

/**
 * Compiles, or loads what an earlier process compiled of the same text and flags with the same plugin for the same kind
 * of device. Without a cache folder, or leave to write there, it just compiles. What goes wrong in the folder, a full disk
 * say, is told and stops no run.
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
      if (writable) await orTold(`${path} was not marked as used`, () => markUsed(path));
      return executable;
    } catch { /* of another build of the plugin: compiled and written anew below */ }
  }
  const executable = await compile();
  const bytes = writable ? trySerialize(executable) : undefined;
  if (bytes) {
    await orTold("The compiled program was not kept", () => keep(bytes, path));
    await orTold(
      `Old programs in ${folder} were not removed`,
      () => pruneCache(folder, { pattern: FILES, limit }),
    );
  }
  return executable;
}

/** Does `work`, or says what was not done and why. */
async function orTold(failure: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(`${failure}: ${(error as Error).message}`);
  }
}

/** Writes an executable at `path` at once or not at all. */
async function keep(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<void> {
  const content = new Uint8Array(DIGEST_SIZE + bytes.length);
  content.set(digest(bytes));
  content.set(bytes, DIGEST_SIZE);
  // A name of its own: runs of one sweep, on one machine or several, may compile the same program at the same time.
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await Deno.writeFile(temporary, content, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // it may not be there
    throw error;
  }
}

async function keyOf(
  { plugin, platform, platformVersion, kind }: Compiler,
  { text, flags }: Pick<Compilation, "text" | "flags">,
): Promise<string> {
  const { size, mtime } = await Deno.stat(plugin.path);
  const identity = [plugin.path, size, mtime, plugin.version, platform, platformVersion, kind];
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
    return undefined; // this plugin does not serialize
  }
}

async function mayWrite(folder: string): Promise<boolean> {
  return (await Deno.permissions.query({ name: "write", path: folder })).state === "granted";
}

function digest(bytes: Uint8Array) {
  return createHash("sha256").update(bytes).digest();
}
