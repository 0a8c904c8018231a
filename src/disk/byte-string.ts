/**
 * Bytes as a string of code units 0 to 255. File names are bytes without a known encoding. In this form they
 * compare in byte order, can be split, and serve as keys of a Map.
 */
export type ByteString = string;

/** The number of function arguments is limited. */
const SLICE = 4096;

export function toByteString(bytes: Uint8Array): ByteString {
  let text = '';
  for (let at = 0; at < bytes.length; at += SLICE)
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + SLICE) as unknown as number[]);
  return text;
}

/** Writes the bytes at `at`. There must be room for them. */
export function writeByteString(text: ByteString, into: Uint8Array, at: number): void {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
}

export function toBytes(text: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  writeByteString(text, bytes, 0);
  return bytes;
}

const QUOTED_LENGTH = 200;

/** Returns the bytes as text for a message: one quoted line of bounded length without control characters. */
export function quote(text: ByteString): string {
  const shown = new TextDecoder().decode(toBytes(text.slice(0, QUOTED_LENGTH)));
  const safe = shown.replace(/[\p{C}\p{Z}"\\]/gu, (c) =>
    c === ' ' ? c : `\\u{${c.codePointAt(0)?.toString(16)}}`,
  );
  return `"${safe}${text.length > QUOTED_LENGTH ? '…' : ''}"`;
}
