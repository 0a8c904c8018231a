/** The text of a file, as an editor takes it and as the file has it. */

/** What an editor shows. Its lines end with line feeds. */
export interface Draft {
  readonly length: number;
  toString(): string;
}

export type LineEnding = '\n' | '\r\n';

/** The largest file that the editor opens, in bytes. */
export const LARGEST_TEXT = 2 << 20;

/** Returns how all lines of a text end. Single carriage returns count as characters. */
export function lineEndingOf(text: string): LineEnding {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

/** Returns the text for an editor. */
export function toDraft(text: string, ending: LineEnding): string {
  return ending === '\n' ? text : text.replaceAll(ending, '\n');
}

/** Returns the text for a file. */
export function toText(draft: Draft, ending: LineEnding): string {
  return ending === '\n' ? draft.toString() : draft.toString().replaceAll('\n', ending);
}

/** Whether the draft is what the file has. @param text null for a file that is not there */
export function isSaved(draft: Draft, text: string | null, ending: LineEnding): boolean {
  if (text === null) return false;
  const saved = toDraft(text, ending);
  return draft.length === saved.length && draft.toString() === saved;
}

/** Returns the text of bytes, or undefined if they are none: they hold NUL, or are no UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    // A byte order mark stays in the text, and so in the file.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Where two texts differ. */
export interface Difference {
  readonly from: number;
  /** The end of the difference in the old text. */
  readonly to: number;
  /** What stands there in the new one. */
  readonly insert: string;
}

/** Returns the smallest single replacement that makes one text of another. */
export function differenceOf(old: string, text: string): Difference {
  const most = Math.min(old.length, text.length);
  let from = 0;
  while (from < most && old[from] === text[from]) from++;
  let after = 0;
  while (after < most - from && old[old.length - 1 - after] === text[text.length - 1 - after]) after++;
  return { from, to: old.length - after, insert: text.slice(from, text.length - after) };
}
