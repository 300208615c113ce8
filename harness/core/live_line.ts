/** A line of a terminal that is overwritten. Silent if the output is not a terminal. */
export interface LiveLine extends Disposable {
  show(text: string): void;
  clear(): void;
}

/** Opens a live line on `output`; disposal clears it. */
export function openLiveLine(
  output: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number } = Deno.stderr,
): LiveLine {
  const visible = output.isTerminal();
  const show = (text: string) => {
    if (visible) output.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  };
  return { show, clear: () => show(""), [Symbol.dispose]: () => show("") };
}
