/**
 * Names, paths and arguments of Linux are bytes. As text they are UTF-8; each byte that is not becomes a lone
 * surrogate, U+DC80 to U+DCFF, as in Python's `surrogateescape`. So every name is a string, and keeps its
 * bytes.
 */

const ESCAPE = 0xdc00;
const LONGEST_CHARACTER = 4;
const ESCAPED = /([\udc80-\udcff])/u;
/** Also characters that change the direction of others; the joiner of emoji is harmless. */
const INVISIBLE = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeBytes(bytes: Uint8Array): string {
  const whole = decodeUtf8(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const [character, length] = decodeCharacter(bytes.subarray(at, at + LONGEST_CHARACTER));
    text += character;
    at += length;
  }
  return text;
}

export function encodeBytes(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  if (!ESCAPED.test(text)) return encoder.encode(text);
  const parts = text
    .split(ESCAPED)
    .map((part) => (ESCAPED.test(part) ? Uint8Array.of(part.charCodeAt(0) - ESCAPE) : encoder.encode(part)));
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Returns the first character of some bytes, and its length in bytes. */
function decodeCharacter(bytes: Uint8Array): [string, number] {
  for (let length = 1; length <= bytes.length; length++) {
    const character = decodeUtf8(bytes.subarray(0, length));
    if (character !== undefined) return [character, length];
  }
  return [String.fromCharCode(ESCAPE + (bytes[0] as number)), 1];
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Returns a name as one line for people: control characters, and bytes that are not UTF-8, are escaped. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) as number;
    if (ESCAPED.test(character)) return `\\x${(code - ESCAPE).toString(16)}`;
    return SHORT[character] ?? `\\u{${code.toString(16)}}`;
  });
}
