/** RTLD_LAZY, RTLD_NODELETE of each system, and the libraries with dlopen (in glibc, libc has it since 2.34). */
const RTLD_LAZY = 1;
const SYSTEMS: Readonly<
  Partial<Record<typeof Deno.build.os, { readonly flag: number; readonly libraries: string[] }>>
> = {
  linux: { flag: 0x1000, libraries: ["libc.so.6", "libdl.so.2"] },
  darwin: { flag: 0x80, libraries: ["libSystem.B.dylib"] },
};

/**
 * Keeps the loaded library at `path` in memory until the process ends. Deno closes its libraries before the process runs
 * its exit handlers, some of which are in XLA's and NVIDIA's libraries, so that the process would end with a
 * segmentation fault.
 */
export function pinLibrary(path: string): void {
  const system = SYSTEMS[Deno.build.os];
  const name = new TextEncoder().encode(`${path}\0`);
  for (const library of system?.libraries ?? []) {
    try {
      const { symbols } = Deno.dlopen(library, {
        dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
      });
      symbols.dlopen(name, RTLD_LAZY | (system?.flag ?? 0));
      return;
    } catch { /* the other library has dlopen */ }
  }
}
