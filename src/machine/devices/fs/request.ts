import { FolderError } from '../../../folders/shared-folder.ts';
import { decodeBytes } from '../../../text/byte-text.ts';
import type { ReadableSegments } from '../virtio/chain.ts';
import { IN_HEADER_SIZE, UNIQUE_OFFSET, WRITE } from './fuse.ts';

const WRITE_IN_SIZE = 40;
/** The longest arguments: the value and the name of an extended attribute. BATCH_FORGET has its own limit. */
const MAX_ARGUMENTS = (64 << 10) + 4096;
const MAX_NAME = 255;
const SLASH = 0x2f;

/** A request of the driver, read once from guest RAM. Every field is what the guest likes it to be. */
export class Request {
  readonly opcode: number;
  readonly unique: bigint;
  readonly node: bigint;
  readonly user: number;
  readonly group: number;
  /** The content of a WRITE, in guest RAM. */
  readonly data: readonly Uint8Array[];
  /** Whether the lengths agree. */
  readonly isWhole: boolean;
  readonly #arguments: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(readable: ReadableSegments) {
    const total = readable.remaining;
    const header = new DataView(new ArrayBuffer(IN_HEADER_SIZE));
    const short = total < IN_HEADER_SIZE;
    readable.read(new Uint8Array(header.buffer), 0, short ? total : IN_HEADER_SIZE);
    this.opcode = header.getUint32(4, true);
    this.unique = header.getBigUint64(UNIQUE_OFFSET, true);
    this.node = header.getBigUint64(16, true);
    this.user = header.getUint32(24, true);
    this.group = header.getUint32(28, true);
    const length = this.opcode === WRITE ? WRITE_IN_SIZE : readable.remaining;
    this.isWhole =
      !short &&
      header.getUint32(0, true) === total &&
      length <= readable.remaining &&
      length <= MAX_ARGUMENTS;
    this.#arguments = new Uint8Array(this.isWhole ? length : 0);
    readable.read(this.#arguments);
    this.#view = new DataView(this.#arguments.buffer);
    this.data = this.isWhole ? readable.views(readable.remaining) : [];
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A position or a length in a file. @throws EINVAL if there are no such files */
  offset(): number {
    const value = Number(this.u64());
    return Number.isSafeInteger(value) ? value : malformed();
  }

  skip(count: number): this {
    this.#take(count);
    return this;
  }

  /** The name of a file in a folder. */
  name(): string {
    const bytes = this.string();
    if (bytes.length > MAX_NAME) throw new FolderError('ENAMETOOLONG');
    const isDots = bytes.length <= 2 && bytes.every((byte) => byte === 0x2e);
    if (isDots || bytes.includes(SLASH)) malformed();
    return decodeBytes(bytes);
  }

  /** A string that ends with NUL. */
  string(): Uint8Array {
    const end = this.#arguments.indexOf(0, this.#at);
    if (end < 0) malformed();
    const start = this.#take(end + 1 - this.#at);
    return this.#arguments.subarray(start, end);
  }

  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#arguments.subarray(start, start + count);
  }

  get remaining(): number {
    return this.#arguments.length - this.#at;
  }

  #take(count: number): number {
    const start = this.#at;
    if (count > this.remaining) malformed();
    this.#at += count;
    return start;
  }
}

function malformed(): never {
  throw new FolderError('EINVAL');
}
