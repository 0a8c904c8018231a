/** The log that a recording machine worker writes, in the folder of its store. */

export const LOG_FILE = 'writes.log';
/** Holds how many bytes the files of kept disks may have. */
export const CAPACITY_FILE = 'capacity';

export type LogEntry =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'resize'; readonly size: number }
  /** A flush begins, or is done. */
  | { readonly kind: 'flush' }
  | { readonly kind: 'flushed' };

const KINDS = ['write', 'resize', 'flush', 'flushed'] as const;
const HEADER = 16;

export function encodeEntry(entry: LogEntry): Uint8Array {
  const bytes = entry.kind === 'write' ? entry.bytes : new Uint8Array(0);
  const encoded = new Uint8Array(HEADER + bytes.length);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, KINDS.indexOf(entry.kind), true);
  view.setUint32(4, bytes.length, true);
  view.setFloat64(8, entry.kind === 'write' ? entry.offset : entry.kind === 'resize' ? entry.size : 0, true);
  encoded.set(bytes, HEADER);
  return encoded;
}

/** @returns each entry with the length of the log up to its end */
export function decodeLog(log: Uint8Array): { readonly end: number; readonly entry: LogEntry }[] {
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  const entries: { end: number; entry: LogEntry }[] = [];
  for (let at = 0; at < log.length; ) {
    const kind = KINDS[view.getUint32(at, true)];
    const length = view.getUint32(at + 4, true);
    const number = view.getFloat64(at + 8, true);
    const bytes = log.subarray(at + HEADER, at + HEADER + length);
    at += HEADER + length;
    if (kind === 'write') entries.push({ end: at, entry: { kind, offset: number, bytes } });
    else if (kind === 'resize') entries.push({ end: at, entry: { kind, size: number } });
    else if (kind) entries.push({ end: at, entry: { kind } });
  }
  return entries;
}
