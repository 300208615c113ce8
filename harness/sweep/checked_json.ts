/**
 * JSON objects that carry a checksum, so that a changed bit is noticed: `{"a":1,"sha256":"..."}` on one line. Other programs read
 * them as plain JSON. Objects of earlier versions have none.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The end of an object with a checksum. */
const CHECKSUM = /,"sha256":"([0-9a-f]{64})"\}$/;

/** Serializes `value`, an object with at least one member and none named sha256, on one line with the SHA-256 of the line without it. */
export function writeChecked(value: object): string {
  const text = JSON.stringify(value);
  return `${text.slice(0, -1)},"sha256":"${sha256(text)}"}`;
}

/**
 * Parses a line of `writeChecked`, or of a version that wrote no checksums, and leaves the checksum out. Throws SyntaxError, whose
 * message continues "... is", if the line is not JSON or does not have its checksum.
 */
export function parseChecked(line: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new SyntaxError(`not JSON (${(error as Error).message})`, { cause: error });
  }
  if (typeof value !== "object" || value === null || !("sha256" in value)) return value;
  const [end, expected] = CHECKSUM.exec(line) ?? [];
  if (end === undefined || sha256(`${line.slice(0, -end.length)}}`) !== expected) {
    throw new SyntaxError("not what was written (its checksum is that of another text)");
  }
  const { sha256: _, ...content } = value;
  return content;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
