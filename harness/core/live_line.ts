/** A line of a terminal that is written over. Says nothing where output is no terminal. */
export interface LiveLine extends Disposable {
  show(text: string): void;
  clear(): void;
}

/** A live line on `output`; removed when disposed. */
export function openLiveLine(
  output: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number } = Deno.stderr,
): LiveLine {
  const visible = output.isTerminal();
  const show = (text: string) => {
    if (visible) output.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  };
  return { show, clear: () => show(""), [Symbol.dispose]: () => show("") };
}
