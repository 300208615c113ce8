/**
 * Compiled programs on disk, so that the second run of a step starts at once.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { cacheFolder } from "./cache_folder.ts";
import type { Client, Executable, Signature, XlaFlags } from "./pjrt_client.ts";

/** What is compiled. */
export interface Compilation {
  readonly text: string;
  readonly signature: Signature;
  readonly flags: XlaFlags;
  /** Where compiled programs are kept; null for nowhere, by default `laebench/xla` in the user's cache. */
  readonly folder?: string | null;
}

/** Bytes of SHA-256 in front of a cached executable: a plugin should not be handed a broken one. */
const DIGEST_SIZE = 32;

/**
 * Compiles, or loads what an earlier process compiled of the same text and flags with the same plugin for the same kind
 * of device. Without a cache folder, or leave to write there, it just compiles.
 */
export async function cachedCompile(
  client: Client,
  { text, signature, flags, folder = cacheFolder("xla") }: Compilation,
): Promise<Executable> {
  const compile = () => client.compile(text, signature, flags);
  if (!folder) return await compile();
  const path = join(folder, `${await keyOf(client, { text, flags })}.bin`);
  const cached = await readCached(path);
  if (cached) {
    try {
      return await client.load(cached, signature);
    } catch { /* of another build of the plugin: compiled and written anew below */ }
  }
  const executable = await compile();
  if (await mayWrite(folder)) {
    const bytes = trySerialize(executable);
    if (bytes) await keep(bytes, path);
  }
  return executable;
}

/** Writes an executable at `path` at once or not at all; a full disk, say, is told and stops no run. */
async function keep(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<void> {
  const content = new Uint8Array(DIGEST_SIZE + bytes.length);
  content.set(digest(bytes));
  content.set(bytes, DIGEST_SIZE);
  // A name of its own: runs of one sweep may compile the same program at the same time.
  const temporary = `${path}.${Deno.pid}`;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(temporary, content);
    await Deno.rename(temporary, path);
  } catch (error) {
    console.error(`The compiled program was not kept: ${(error as Error).message}`);
  }
}

async function keyOf(
  { plugin, platform, platformVersion, kind }: Client,
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
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return;
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
