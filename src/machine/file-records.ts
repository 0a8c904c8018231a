/** What the guest's agent tells about files; `docs/agent-protocol.md` defines the records. */

import { concat } from '../streams/concat.ts';
import { decodeBytes } from '../text/byte-text.ts';
import { FILE_CHANGED, FILE_RENAMED, MOUNT_POINT, RECORD_SIZE } from './agent-codes.ts';

export type FileType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character device'
  | 'block device'
  /** Its status cannot be read. */
  | 'unknown';

/** The status of a file. */
export interface FileStatus {
  /** The kind of file. */
  readonly type: FileType;
  /** Permissions, such as 0o644. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
  /** The time of the last modification. */
  readonly mtime: Date;
  /** The number of the owner. */
  readonly uid: number;
  /** The number of the group. */
  readonly gid: number;
  /** Of a link: its text, and the type of the file that it leads to, if there is one. */
  readonly target?: { readonly path: string; readonly type: FileType | undefined };
  /** Whether another file system is mounted here. */
  readonly isMountPoint: boolean;
}

/** A file of a folder. */
export interface FolderEntry extends FileStatus {
  /** Bytes that are not UTF-8 are lone surrogates, U+DC80 to U+DCFF. */
  readonly name: string;
}

/** A change of a watched file, or in a watched folder, as `node:fs` has it. */
export interface FileChange {
  /** `change` if the content or the status of a file has changed, `rename` if a name has come or gone. */
  readonly eventType: 'rename' | 'change';
  /** The path from the watched folder to the file, or the last name of a watched file. */
  readonly filename: string;
}

const LONGEST_NAME = 255;
const LONGEST_TARGET = 4095;
const LONGEST_PATH = 4095;
const PERMISSIONS = 0o7777;
const FORMAT = 0o170000;
/** The longest time, in ms, that a Date holds. */
const MOST_TIME = 8.64e15;

const TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'character device'],
  [0o060000, 'block device'],
]);

/** Cuts the agent's bytes into records. */
export class RecordReader {
  #pending = new Uint8Array();

  /** @throws RangeError if a record is longer than the protocol allows, or its name is none */
  push(bytes: Uint8Array): FolderEntry[] {
    const received = new Uint8Array(this.#pending.length + bytes.length);
    received.set(this.#pending);
    received.set(bytes, this.#pending.length);
    const entries: FolderEntry[] = [];
    let at = 0;
    for (;;) {
      const name = stringAt(received, at + RECORD_SIZE, LONGEST_NAME);
      const target = name && stringAt(received, name.end, LONGEST_TARGET);
      if (!target) break;
      const numbers = new DataView(received.buffer, at, RECORD_SIZE);
      entries.push({ name: checkName(name.text), ...decodeStatus(numbers, target.text) });
      at = target.end;
    }
    this.#pending = received.slice(at);
    return entries;
  }

  /** @throws RangeError if the last record is incomplete */
  end(): void {
    if (this.#pending.length > 0) throw new RangeError('a record without its end');
  }
}

/** Cuts the agent's bytes about a watched file into changes. */
export class ChangeReader {
  #pending = new Uint8Array();

  /** @throws RangeError if a record is longer than the protocol allows, or of an unknown kind */
  push(bytes: Uint8Array): FileChange[] {
    const received = concat([this.#pending, bytes]);
    const changes: FileChange[] = [];
    let at = 0;
    for (
      let name = stringAt(received, 1, LONGEST_PATH);
      name;
      name = stringAt(received, at + 1, LONGEST_PATH)
    ) {
      const type = received[at];
      if (type === FILE_RENAMED || type === FILE_CHANGED)
        changes.push({ eventType: type === FILE_RENAMED ? 'rename' : 'change', filename: name.text });
      else throw new RangeError('an unknown change');
      at = name.end;
    }
    this.#pending = received.slice(at);
    return changes;
  }
}

/** Returns undefined if the string's end has not arrived. */
function stringAt(bytes: Uint8Array, start: number, longest: number) {
  const end = bytes.subarray(start, start + longest + 1).indexOf(0);
  if (end >= 0) return { text: decodeBytes(bytes.subarray(start, start + end)), end: start + end + 1 };
  if (bytes.length > start + longest) throw new RangeError('a string that is too long');
  return undefined;
}

/** A name leads nowhere but to a file of its folder. */
function checkName(name: string): string {
  if (name.includes('/') || name === '.' || name === '..') throw new RangeError('a name that is a path');
  return name;
}

function decodeStatus(numbers: DataView, target: string): FileStatus {
  const u32 = (at: number) => numbers.getUint32(at, true);
  const [mode, targetMode] = [u32(0), u32(4)];
  const type = typeOf(mode);
  const ms = Number(numbers.getBigInt64(16, true)) * 1000 + Math.floor(u32(24) / 1e6);
  return {
    type,
    mode: mode & PERMISSIONS,
    size: Number(numbers.getBigUint64(8, true)),
    mtime: new Date(Math.max(-MOST_TIME, Math.min(MOST_TIME, ms))),
    uid: u32(28),
    gid: u32(32),
    isMountPoint: (u32(36) & MOUNT_POINT) !== 0,
    ...(type === 'symlink' && {
      target: { path: target, type: targetMode === 0 ? undefined : typeOf(targetMode) },
    }),
  };
}

function typeOf(mode: number): FileType {
  return TYPES.get(mode & FORMAT) ?? 'unknown';
}
