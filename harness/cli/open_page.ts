import { pathToFileURL } from "node:url";

/** A line that says where a page is, as an address that terminals make a link of. */
export function lookAt(path: string): string {
  return `Look at ${pathToFileURL(path).href}`;
}

/** The program that opens files as the user's desktop does. */
const OPENERS: Readonly<Record<string, string>> = { darwin: "open", windows: "explorer" };

/** Opens the page at `path` in the user's browser. Throws Error with the way out if there is no program that does. */
export async function openPage(path: string): Promise<void> {
  const opener = OPENERS[Deno.build.os] ?? "xdg-open";
  try {
    const { success } = await new Deno.Command(opener, { args: [path], stderr: "null" }).output();
    if (success || opener === "explorer") return; // which ends with 1 although it opens
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new Error(
    `${opener} cannot open a browser here: open ${pathToFileURL(path).href} yourself`,
  );
}
