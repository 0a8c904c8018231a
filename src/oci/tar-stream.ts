/** Writes tars of files, folders and symbolic links (POSIX pax, with short ASCII names as in ustar). */
import type { Bytes } from './bytes.ts';

/** A user and a group, by their numbers. */
export interface Owner {
  readonly user: number;
  readonly group: number;
}

export interface TarFile {
  /** A folder's ends with a slash. */
  readonly name: string;
  /** By default root. */
  readonly owner?: Owner | undefined;
  /** Permissions; by default 0644. */
  readonly mode?: number | undefined;
  /** In seconds since 1970; by default 0. */
  readonly mtime?: number | undefined;
  /** Of a symbolic link, which has no content. */
  readonly target?: string | undefined;
  readonly size: number;
  /** Exactly `size` bytes. */
  readonly content: Bytes;
}

/** The size and the content of a file in memory. */
export function contentOf(bytes: Uint8Array): Pick<TarFile, 'size' | 'content'> {
  return { size: bytes.length, content: once(bytes) };
}

async function* once(bytes: Uint8Array): Bytes {
  if (bytes.length > 0) yield bytes;
}

const BLOCK = 512;
const MODE = 0o644;
const MODE_OF_LINKS = 0o777;
/** The bytes of a name, and of a link's target. */
const NAME = 100;
/** The largest size that eleven octal digits hold. */
const LARGEST_OCTAL = 8 ** 11 - 1;
/** The largest number of a user that seven octal digits hold. */
const LARGEST_USER = 8 ** 7 - 1;
const ROOT: Owner = { user: 0, group: 0 };
const CHECKSUM = { at: 148, length: 8 };
const SPACE = 32;

/** @throws Error if a file has more or fewer bytes than it should */
export async function* writeTar(files: Iterable<TarFile>): Bytes {
  for (const { name, mode = MODE, owner = ROOT, mtime = 0, target, size, content } of files) {
    yield* recordsOf({
      path: fits(name) ? undefined : name,
      linkpath: target === undefined || fits(target) ? undefined : target,
      uid: owner.user > LARGEST_USER ? String(owner.user) : undefined,
      gid: owner.group > LARGEST_USER ? String(owner.group) : undefined,
    });
    const common = { name, owner, mtime };
    yield target === undefined
      ? headerOf({ ...common, mode, size, type: name.endsWith('/') ? '5' : '0' })
      : headerOf({ ...common, mode: MODE_OF_LINKS, size: 0, type: '2', target });
    let written = 0;
    for await (const bytes of content) {
      written += bytes.length;
      yield bytes;
    }
    if (written !== size) throw new Error(`${name} has ${written} bytes, not ${size}`);
    yield* padding(size);
  }
  yield new Uint8Array(2 * BLOCK);
}

/** The header, and its content, of values that the next header has no room for. */
function* recordsOf(values: Readonly<Record<string, string | undefined>>): Generator<Uint8Array> {
  const records = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => recordOf(` ${key}=${value}\n`));
  const bytes = new TextEncoder().encode(records.join(''));
  if (bytes.length === 0) return;
  yield headerOf({ name: 'pax', mode: MODE, owner: ROOT, mtime: 0, size: bytes.length, type: 'x' });
  if (bytes.length > 0) yield bytes;
  yield* padding(bytes.length);
}

/** Puts before a record its length in bytes, with that of the length itself. */
function recordOf(text: string): string {
  const { length } = new TextEncoder().encode(text);
  let digits = String(length).length;
  while (String(length + digits).length > digits) digits++;
  return `${length + digits}${text}`;
}

function fits(name: string): boolean {
  return name.length <= NAME && /^[\x20-\x7e]*$/.test(name);
}

function* padding(size: number): Generator<Uint8Array> {
  if (size % BLOCK !== 0) yield new Uint8Array(BLOCK - (size % BLOCK));
}

interface Header extends Pick<TarFile, 'name' | 'size'> {
  readonly mode: number;
  readonly owner: Owner;
  readonly mtime: number;
  readonly type: string;
  readonly target?: string;
}

function headerOf({ name, mode, owner, mtime, size, type, target = '' }: Header): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text).subarray(0, NAME), at);
  const octal = (at: number, length: number, value: number) =>
    put(at, `${value.toString(8).padStart(length - 1, '0')}\0`);
  put(0, name);
  octal(100, 8, mode);
  octal(108, 8, owner.user & LARGEST_USER);
  octal(116, 8, owner.group & LARGEST_USER);
  if (size <= LARGEST_OCTAL) octal(124, 12, size);
  else putBinary(block, size);
  octal(136, 12, mtime);
  put(156, type);
  put(157, target);
  put(257, 'ustar\x0000');
  block.fill(SPACE, CHECKSUM.at, CHECKSUM.at + CHECKSUM.length);
  octal(
    CHECKSUM.at,
    7,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  return block;
}

/** GNU's form of sizes that octal digits do not hold. */
function putBinary(block: Uint8Array, size: number): void {
  const view = new DataView(block.buffer);
  view.setUint8(124, 0x80);
  view.setBigUint64(128, BigInt(size));
}
