/** An image with everything that is awkward, layer by layer: its entries and its tars. */
import type { ByteString } from '../byte-string.ts';
import { toBytes } from '../byte-string.ts';
import { concat, type EntrySpec, end, entry, file, header, pad, pax, paxRecord } from './tar-writer.ts';

type Attributes = Pick<EntrySpec, 'mode' | 'uid' | 'gid' | 'mtime' | 'mtimeNs' | 'xattrs'>;

const ATTRIBUTES: Attributes = { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000, mtimeNs: 0, xattrs: [] };

export interface Layer {
  readonly specs: readonly EntrySpec[];
  readonly tar: Uint8Array;
}

/** A layer of entries. Entries with bytes of their own are written as these bytes. */
function layer(...entries: readonly (EntrySpec | { spec: EntrySpec; bytes: Uint8Array })[]): Layer {
  return {
    specs: entries.map((item) => ('spec' in item ? item.spec : item)),
    tar: concat(...entries.map((item) => ('spec' in item ? item.bytes : entry(item))), end()),
  };
}

const make = (
  path: ByteString,
  contents: ByteString | Uint8Array = path,
  more: Partial<Attributes> = {},
): EntrySpec => ({
  ...ATTRIBUTES,
  ...more,
  path,
  type: 'file',
  contents: typeof contents === 'string' ? toBytes(contents) : contents,
});
const directory = (path: ByteString, more: Partial<Attributes> = {}): EntrySpec => ({
  ...ATTRIBUTES,
  mode: 0o755,
  ...more,
  path,
  type: 'directory',
});
const symlink = (path: ByteString, target: ByteString, more: Partial<Attributes> = {}): EntrySpec => ({
  ...ATTRIBUTES,
  mode: 0o777,
  ...more,
  path,
  type: 'symlink',
  target,
});
const hardlink = (path: ByteString, target: ByteString): EntrySpec => ({
  ...ATTRIBUTES,
  path,
  type: 'hardlink',
  target,
});
const device = (path: ByteString, type: 'character' | 'block', major: number, minor: number): EntrySpec => ({
  ...ATTRIBUTES,
  path,
  type,
  major,
  minor,
});
const whiteout = (path: ByteString): EntrySpec => make(path, '');

/** Bytes that differ at each place. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff);
}

/** A file with holes, in one of GNU's formats. */
function sparse(path: ByteString, format: 'old' | '0.0' | '0.1' | '1.0') {
  const extents = [
    [4096, 8192],
    [65536, 512],
    [1 << 20, 700],
  ] as const;
  const size = (1 << 20) + 700;
  const contents = new Uint8Array(size);
  const stored = concat(
    ...extents.map(([offset, length]) => {
      const data = pattern(offset + length).subarray(offset);
      contents.set(data, offset);
      return data;
    }),
  );
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
  const fields = { name: path, mtime: ATTRIBUTES.mtime };
  const list = extents.flat();
  const sizes = [
    ['GNU.sparse.size', String(size)],
    ['GNU.sparse.numblocks', String(extents.length)],
  ] as const;
  const bytes = {
    old: () => {
      const map: [number, ByteString][] = list.map((value, i) => [386 + i * 12, octal(value)]);
      const extra: [number, ByteString][] = [...map, [483, octal(size)]];
      const magic = 'ustar  \0';
      return concat(header({ ...fields, type: 'S', magic, size: stored.length, extra }), pad(stored));
    },
    // Keys repeat, so a Map could not hold them.
    '0.0': () => {
      const pairs = extents.flatMap(([offset, length]) => [
        paxRecord('GNU.sparse.offset', String(offset)),
        paxRecord('GNU.sparse.numbytes', String(length)),
      ]);
      const records = [...sizes.map(([key, value]) => paxRecord(key, value)), ...pairs];
      return concat(file({ name: 'x', type: 'x' }, records.join('')), file(fields, stored));
    },
    '0.1': () =>
      concat(
        pax([...sizes, ['GNU.sparse.map', list.join(',')], ['GNU.sparse.name', path]]),
        file({ ...fields, name: 'GNUSparseFile.0/x' }, stored),
      ),
    '1.0': () => {
      const map = pad(toBytes(`${[extents.length, ...list].join('\n')}\n`));
      const records = [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', path],
        ['GNU.sparse.realsize', String(size)],
      ] as const;
      return concat(pax(records), file({ ...fields, name: 'GNUSparseFile.0/x' }, concat(map, stored)));
    },
  }[format]();
  return { spec: make(path, contents), bytes };
}

const LONG = 'n'.repeat(255);
const MANY = Array.from({ length: 3000 }, (_, i) => `many/file-${i}${'-'.repeat(i % 60)}`);
/** Sizes near the limits of the space after an inode, of a block, and of a path. */
const LENGTHS = [1, 60, 100, 101, 447, 448, 449, 511, 512, 513, 959, 960, 961, 1024, 4095];
const CAPABILITY = {
  name: 'security.capability',
  value: toBytes('\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0'),
};
/** Owner rwx, user 1000 r, group r, mask r, others none, in the kernel's form. */
const ACL = {
  name: 'system.posix_acl_access',
  value: toBytes(
    '\x02\0\0\0' +
      '\x01\0\x07\0\xff\xff\xff\xff' +
      '\x02\0\x04\0\xe8\x03\0\0' +
      '\x04\0\x04\0\xff\xff\xff\xff' +
      '\x10\0\x04\0\xff\xff\xff\xff' +
      '\x20\0\0\0\xff\xff\xff\xff',
  ),
};

function makePlainLayers(): Layer[] {
  const lower = layer(
    directory('', { mode: 0o755, mtime: 1_600_000_000 }),
    directory('many'),
    ...MANY.map((path) => make(path)),
    directory('lengths'),
    ...LENGTHS.map((length) => symlink(`lengths/link-${length}`, 't'.repeat(length))),
    ...LENGTHS.map((length) => make(`lengths/file-${length}`, pattern(length))),
    directory('names'),
    make(`names/${LONG}`),
    make('names/\xff\xfe not UTF-8 \x80'),
    make('names/\xc3\xa9 UTF-8 \xe2\x82\xac'),
    make('names/ spaces \n\t\\'),
    make('names/!before the dots'),
    directory(`names/${'d'.repeat(255)}`),
    directory(`names/${'d'.repeat(255)}/${'e'.repeat(255)}`),
    make(`names/${'d'.repeat(255)}/${'e'.repeat(255)}/${'f'.repeat(255)}`),
    directory('types'),
    device('types/null', 'character', 1, 3),
    device('types/large', 'block', 4095, 1_048_575),
    { ...ATTRIBUTES, path: 'types/fifo', type: 'fifo' },
    make('types/empty', ''),
    make('types/setuid', 'x', { mode: 0o4755 }),
    make('types/setgid', 'x', { mode: 0o2755, uid: 1234, gid: 5678 }),
    directory('types/sticky', { mode: 0o1777 }),
    make('types/owner', 'x', { uid: 4_000_000_000, gid: 70_000 }),
    make('types/old', 'x', { mtime: -1, mtimeNs: 250_000_000 }),
    make('types/new', 'x', { mtime: 5_000_000_000, mtimeNs: 123_456_789 }),
    make('types/capable', 'x', { mode: 0o755, xattrs: [CAPABILITY] }),
    make('types/attributes', 'x', {
      xattrs: [
        { name: 'user.large', value: pattern(1500) },
        { name: 'trusted.t', value: toBytes('\0\xff') },
      ],
    }),
    make('types/acl', 'x', { mode: 0o740, xattrs: [ACL] }),
    directory('types/attributes of a directory', { xattrs: [{ name: 'user.d', value: pattern(400) }] }),
    make('types/attributes of a directory/child'),
    sparse('types/sparse 0.0', '0.0'),
    sparse('types/sparse 0.1', '0.1'),
    sparse('types/sparse 1.0', '1.0'),
    make('types/large file', pattern(5_000_001)),
    directory('links'),
    make('links/first'),
    hardlink('links/second', 'links/first'),
    hardlink('many/third', 'links/first'),
    symlink('links/symbolic', 'first'),
    hardlink('links/symbolic too', 'links/symbolic'),
    directory('gone'),
    directory('gone/deep'),
    make('gone/deep/file'),
    directory('opaque'),
    make('opaque/lower'),
    directory('opaque/sub'),
    make('opaque/sub/lower'),
    directory('becomes file'),
    make('becomes file/lower'),
    make('becomes directory'),
    symlink('becomes directory too', 'types'),
    directory('mode', { mode: 0o700 }),
    make('mode/kept'),
  );
  const upper = layer(
    directory('', { mode: 0o711, mtime: 1_650_000_000 }),
    whiteout('.wh.gone'),
    directory('opaque'),
    whiteout('opaque/.wh..wh..opq'),
    make('opaque/upper'),
    directory('names'),
    whiteout(`names/.wh.${LONG}`),
    directory('links'),
    hardlink('links/across layers', 'links/first'),
    whiteout('links/.wh.second'),
    make('becomes file'),
    directory('becomes directory'),
    make('becomes directory/upper'),
    directory('becomes directory too'),
    make('becomes directory too/upper'),
    directory('mode', { mode: 0o3770, uid: 7, xattrs: [{ name: 'user.x', value: toBytes('y') }] }),
    directory('many'),
    whiteout(`many/.wh.${MANY[17]?.slice('many/'.length)}`),
    make(MANY[18] as string, 'replaced'),
  );
  return [lower, upper];
}

/** Two layers that every tool should merge in the same way. */
export const PLAIN_LAYERS: readonly Layer[] = makePlainLayers();

/**
 * Cases on which tools disagree: an old format, an empty attribute, and directories that no entry mentions.
 * The paths through links are here because of what Linux shows, not because of umoci.
 */
export const DISPUTED_LAYER: Layer = layer(
  sparse('types/sparse old', 'old'),
  make('types/empty attribute', 'x', { xattrs: [{ name: 'user.empty', value: toBytes('') }] }),
  symlink('to types', 'types'),
  make('to types/empty', 'written through the link'),
  symlink('to links', '/links'),
  whiteout('to links/.wh.first'),
  symlink('to many', '../../../many'),
  whiteout('to many/.wh..wh..opq'),
  make('not/mentioned/parents'),
);
