/**
 * `text` on one line that no terminal obeys: line breaks become spaces; other control characters, and those that reorder or hide
 * text, become escapes such as \u001b. Names of folders and messages of libraries may hold any.
 */
export function plainText(text: string): string {
  return text.replaceAll(/\s*[\n\r\u0085\u2028\u2029]+\s*/g, " ")
    .replaceAll(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Longest excerpt of a file's content in a message, in characters. */
const EXCERPT = 200;

/** `text`, or its beginning if it is long: for messages that show what a file holds. */
export function excerpt(text: string): string {
  return text.length <= EXCERPT ? text : `${text.slice(0, EXCERPT)}…`;
}

/** C0 and C1 controls, DEL, bidirectional controls, and characters of no width except the joiners of scripts and emoji. */
const UNSAFE = /[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
