/**
 * Reads an EROFS file system with 512-byte blocks, for tests. It is written from the format alone, shares
 * nothing with the writer, and is stricter than Linux.
 */
import { toByteString } from '../byte-string.ts';

export interface ReadInode {
  readonly number: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly mtime: bigint;
  readonly mtimeNs: number;
  readonly device: number;
  readonly contents: Uint8Array;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const BLOCK = 512;
const DIRECTORY = 0o040000;
const NAMESPACES = [
  '',
  'user.',
  'system.posix_acl_access',
  'system.posix_acl_default',
  'trusted.',
  '',
  'security.',
];
/** The types of directory entries by the type bits of the mode. */
const ENTRY_TYPES = new Map([
  [0o100000, 1],
  [0o040000, 2],
  [0o020000, 3],
  [0o060000, 4],
  [0o010000, 5],
  [0o120000, 7],
]);

/**
 * All names of the file system by path, with '' for the root. A file has the same inode number under each
 * name.
 */
export function readErofs(disk: Uint8Array): Map<string, ReadInode> {
  const reader = new Reader(disk);
  const found = new Map<string, ReadInode>();
  reader.walk('', reader.root, reader.root, found);
  expect(found.size >= 1, 'no root');
  return found;
}

function expect(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(`EROFS: ${problem}`);
}

class Reader {
  readonly root: number;
  readonly #disk: Uint8Array;
  readonly #view: DataView;
  readonly #blocks: number;
  readonly #chunksAllowed: boolean;

  constructor(disk: Uint8Array) {
    this.#disk = disk;
    this.#view = new DataView(disk.buffer, disk.byteOffset, disk.byteLength);
    expect(disk.length % 4096 === 0, 'disk is not whole pages');
    expect(this.#u32(1024) === 0xe0f5e1e2, 'bad magic');
    expect(this.#u8(1024 + 12) === 9, 'block size is not 512');
    expect(this.#u8(1024 + 13) === 0 && this.#u8(1024 + 85) === 0, 'unexpected fields in the super block');
    this.#blocks = this.#u32(1024 + 36);
    expect(this.#blocks * BLOCK === disk.length, 'block count is not that of the disk');
    expect(this.#u32(1024 + 40) === 0, 'metadata begins elsewhere');
    const incompatible = this.#u32(1024 + 80);
    expect((incompatible & ~4) === 0, 'unknown features');
    this.#chunksAllowed = incompatible === 4;
    this.root = this.#u16(1024 + 14);
  }

  walk(path: string, number: number, parent: number, found: Map<string, ReadInode>): void {
    const inode = this.#inode(number);
    found.set(path, inode);
    if ((inode.mode & 0o170000) !== DIRECTORY) return;
    let previous = '';
    const names = new Set<string>();
    for (const { name, target, type } of this.#entries(inode.contents)) {
      expect(previous < name, 'names out of order');
      previous = name;
      names.add(name);
      if (name === '.') expect(target === number, "'.' is elsewhere");
      else if (name === '..') expect(target === parent, "'..' is elsewhere");
      else {
        const child = path === '' ? name : `${path}/${name}`;
        this.walk(child, target, number, found);
        const mode = found.get(child)?.mode ?? 0;
        expect(ENTRY_TYPES.get(mode & 0o170000) === type, `wrong type in the entry of ${child}`);
        continue;
      }
      expect(type === 2, 'dots of the wrong type');
    }
    expect(names.has('.') && names.has('..'), 'directory without dots');
  }

  *#entries(contents: Uint8Array): Generator<{ name: string; target: number; type: number }> {
    for (let start = 0; start < contents.length; start += BLOCK) {
      const block = contents.subarray(start, start + BLOCK);
      const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
      const namesAt = view.getUint16(8, true);
      expect(namesAt > 0 && namesAt % 12 === 0 && namesAt < block.length, 'bad first name offset');
      for (let at = 0; at < namesAt; at += 12) {
        const from = view.getUint16(at + 8, true);
        let to = at + 12 < namesAt ? view.getUint16(at + 20, true) : block.length;
        if (at + 12 === namesAt) {
          const nul = block.indexOf(0, from);
          if (nul >= 0) to = nul;
        }
        expect(to > from && to - from <= 255 && to <= block.length, 'bad name');
        const name = toByteString(block.subarray(from, to));
        expect(!name.includes('\0') && !name.includes('/'), 'bad character in a name');
        expect(view.getUint32(at + 4, true) === 0, 'inode number beyond 32 bits');
        yield { name, target: view.getUint32(at, true), type: view.getUint8(at + 10) };
      }
    }
  }

  #inode(number: number): ReadInode {
    const at = number * 32;
    const format = this.#u16(at);
    expect((format & 1) === 1, 'inode is not an extended one');
    const mode = this.#u16(at + 4);
    const size = Number(this.#view.getBigUint64(at + 8, true));
    const locator = this.#u32(at + 16);
    const count = this.#u16(at + 2);
    const xattrsAt = at + 64;
    const bodyAt = xattrsAt + (count === 0 ? 0 : 12 + (count - 1) * 4);
    const special = ![0o100000, 0o040000, 0o120000].includes(mode & 0o170000);
    expect(!special || (size === 0 && format >> 1 === 0), 'special file with contents');
    return {
      number,
      mode,
      uid: this.#u32(at + 24),
      gid: this.#u32(at + 28),
      links: this.#u32(at + 44),
      mtime: this.#view.getBigInt64(at + 32, true),
      mtimeNs: this.#u32(at + 40),
      device: special ? locator : 0,
      contents: special ? new Uint8Array(0) : this.#contents(format >> 1, size, locator, bodyAt),
      xattrs: this.#xattrs(xattrsAt, bodyAt),
    };
  }

  #contents(layout: number, size: number, locator: number, bodyAt: number): Uint8Array {
    switch (layout) {
      case 0: {
        expect(
          locator * BLOCK + Math.ceil(size / BLOCK) * BLOCK <= this.#disk.length || size === 0,
          'beyond the disk',
        );
        return this.#disk.slice(locator * BLOCK, locator * BLOCK + size);
      }
      case 2: {
        const inline = size % BLOCK;
        expect(inline > 0, 'nothing inline');
        expect((bodyAt % BLOCK) + inline <= BLOCK, 'inline data in two blocks');
        const blocks = this.#disk.slice(locator * BLOCK, locator * BLOCK + size - inline);
        return new Uint8Array(Buffer.concat([blocks, this.#disk.subarray(bodyAt, bodyAt + inline)]));
      }
      case 4:
        return this.#chunks(size, locator, bodyAt);
      default:
        throw new Error(`EROFS: unexpected layout ${layout}`);
    }
  }

  #chunks(size: number, format: number, mapAt: number): Uint8Array {
    expect(this.#chunksAllowed, 'chunks without their feature bit');
    expect((format & ~0x1f) === 0 && mapAt % 4 === 0, 'bad chunk format');
    const chunkSize = BLOCK * 2 ** format;
    const contents = new Uint8Array(size);
    for (let chunk = 0; chunk * chunkSize < size; chunk++) {
      const address = this.#u32(mapAt + chunk * 4);
      if (address === 0xffff_ffff) continue;
      const length = Math.min(chunkSize, size - chunk * chunkSize);
      contents.set(this.#disk.subarray(address * BLOCK, address * BLOCK + length), chunk * chunkSize);
    }
    return contents;
  }

  #xattrs(from: number, to: number): Map<string, Uint8Array> {
    const xattrs = new Map<string, Uint8Array>();
    if (from === to) return xattrs;
    expect(this.#u8(from + 4) === 0, 'shared attributes');
    let at = from + 12;
    expect(at < to, 'attributes without any');
    while (at < to) {
      const length = this.#u8(at);
      const prefix = NAMESPACES[this.#u8(at + 1)];
      expect(prefix !== undefined && prefix !== '', 'unknown namespace');
      const valueAt = at + 4 + length;
      const size = this.#u16(at + 2);
      const name = prefix + toByteString(this.#disk.subarray(at + 4, valueAt));
      expect(!xattrs.has(name), 'attribute twice');
      xattrs.set(name, this.#disk.slice(valueAt, valueAt + size));
      at += Math.ceil((4 + length + size) / 4) * 4;
    }
    expect(at === to, 'attributes end elsewhere');
    return xattrs;
  }

  #u8(at: number): number {
    return this.#view.getUint8(at);
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
}
