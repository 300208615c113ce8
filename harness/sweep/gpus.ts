/**
 * One process a card: runs are independent, so several cards train several runs at a time.
 *
 * @module
 */

/** Tells CUDA which cards a process may use, by index or UUID, and counts them anew from 0. */
export const CARDS_VARIABLE = "CUDA_VISIBLE_DEVICES";

/**
 * The NVIDIA cards for runs on `device`: those that this process may use by CUDA_VISIBLE_DEVICES (`visible`), else all
 * `count` that the device found. Empty for other devices, and where it is not known.
 */
export function cardsFor(
  device: string,
  { count, visible }: { readonly count: number; readonly visible: string | undefined },
): readonly string[] {
  if (!isCuda(device)) return [];
  if (visible === undefined) return Array.from({ length: count }, (_, i) => String(i));
  const names = visible.split(",").map((name) => name.trim());
  const end = names.findIndex((name) => name === "" || name.startsWith("-")); // as CUDA reads it
  return end < 0 ? names : names.slice(0, end);
}

/** What the environment of the process in `slot`, of those at a time, has besides this one's: its card. */
export function environmentOf(
  slot: number,
  cards: readonly string[],
): Readonly<Record<string, string>> {
  return cards.length === 0 ? {} : { [CARDS_VARIABLE]: cards[slot % cards.length] };
}

/** What to tell who asks for more `jobs` than `cards`; undefined where each has its own or none is needed. */
export function sharedCards(
  device: string,
  { cards, jobs }: { readonly cards: readonly string[]; readonly jobs: number },
): string | undefined {
  if (!isCuda(device) || jobs <= Math.max(1, cards.length)) return undefined;
  return cards.length === 0
    ? `${jobs} runs at a time share the first card: list the cards in ${CARDS_VARIABLE} to give each its own`
    : `${jobs} runs at a time share ${cards.length} of NVIDIA's cards: --jobs ${cards.length} gives each its own`;
}

function isCuda(device: string): boolean {
  return /^cuda(:|$)/.test(device) || device === "tfjs-node-gpu";
}
