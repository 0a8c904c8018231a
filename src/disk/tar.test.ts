import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processorTime } from '../../scripts/testing/processor-time.mjs';
import { ImageError } from '../oci/errors.ts';
import { toByteString, toBytes } from './byte-string.ts';
import { TarIndexer } from './tar.ts';
import type { TarEntry, TarIndex } from './tar-entry.ts';
import { layerSpecs } from './testing/arbitrary.ts';
import { HAS_IMAGES, indexTar, readLayers } from './testing/images.ts';
import { concat, end, entry, type Fields, file, header, pad, pax, paxRecord } from './testing/tar-writer.ts';

const BLOCK = 512;
const only = (tar: Uint8Array): TarEntry => {
  const { entries } = indexTar(tar);
  expect(entries).toHaveLength(1);
  return entries[0] as TarEntry;
};
const one = (fields: Fields, contents = '') => only(concat(file(fields, contents), end()));
const contentsOf = (tar: Uint8Array, found: TarEntry) =>
  found.type === 'file' ? toByteString(tar.subarray(found.offset, found.offset + found.size)) : undefined;
const EXTENDED = 'ustar  \0';

describe('headers', () => {
  test('of all types', () => {
    const { entries, size } = indexTar(
      concat(
        file({ name: 'file', mode: 0o4755, uid: 1, gid: 2, mtime: 3 }, 'contents'),
        header({ name: 'dir/', type: '5', mode: 0o755 }),
        header({ name: 'link', type: '2', linkName: '../x' }),
        header({ name: 'hard', type: '1', linkName: './file' }),
        header({ name: 'null', type: '3', major: 1, minor: 3 }),
        header({ name: 'disk', type: '4', major: 8, minor: 17 }),
        header({ name: 'fifo', type: '6' }),
        end(),
      ),
    );
    const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };
    expect(entries).toEqual([
      { ...common, path: 'file', type: 'file', mode: 0o4755, uid: 1, gid: 2, mtime: 3, size: 8, offset: 512 },
      { ...common, path: 'dir', type: 'directory', mode: 0o755 },
      { ...common, path: 'link', type: 'symlink', target: '../x' },
      { ...common, path: 'hard', type: 'hardlink', target: 'file' },
      { ...common, path: 'null', type: 'character', major: 1, minor: 3 },
      { ...common, path: 'disk', type: 'block', major: 8, minor: 17 },
      { ...common, path: 'fifo', type: 'fifo' },
    ]);
    expect(size).toBe(BLOCK * 10);
  });

  test('of v7 tars: no type, no prefix, a slash for directories', () => {
    expect(one({ magic: '', type: '\0', name: 'd/', prefix: 'x' })).toMatchObject({
      path: 'd',
      type: 'directory',
    });
    expect(one({ magic: '', type: '\0', name: 'f' })).toMatchObject({ path: 'f', type: 'file' });
    expect(one({ magic: '', type: '1', name: 'f', linkName: 'g', major: 'rubbish!' })).toMatchObject({
      type: 'hardlink',
      target: 'g',
    });
  });

  test('with names in two parts', () => {
    expect(one({ prefix: 'p'.repeat(155), name: 'n'.repeat(100) })).toMatchObject({
      path: `${'p'.repeat(155)}/${'n'.repeat(100)}`,
    });
    const star: Fields = {
      prefix: 'p'.repeat(131),
      name: 'n',
      extra: [
        [476, '00000000000\0'],
        [508, 'tar\0'],
      ],
    };
    expect(one(star)).toMatchObject({ path: `${'p'.repeat(131)}/n` });
    // GNU keeps times in the place of the prefix.
    expect(one({ magic: EXTENDED, prefix: '13333333333\0', name: 'n' })).toMatchObject({ path: 'n' });
  });

  test('with numbers in bytes', () => {
    const found = one({
      magic: EXTENDED,
      uid: '\x80\0\0\0\xee\x6b\x28\0',
      gid: '\x80\0\0\0\0\x01\x11\x70',
      mtime: `\xff${'\xff'.repeat(10)}\xfe`,
    });
    expect(found).toMatchObject({ uid: 4_000_000_000, gid: 70_000, mtime: -2 });
    expect(one({ mtime: `\x80${'\0'.repeat(6)}\x01${'\0'.repeat(4)}` })).toMatchObject({ mtime: 2 ** 32 });
  });

  test('with numbers between blanks, or without numbers', () => {
    expect(one({ uid: '   17 \0', gid: '       ', mode: '000644 \0', mtime: '\0'.repeat(12) })).toMatchObject(
      {
        uid: 0o17,
        gid: 0,
        mode: 0o644,
        mtime: 0,
      },
    );
  });

  test('with the file type in the mode', () => {
    expect(one({ mode: 0o100755 })).toMatchObject({ mode: 0o755 });
  });

  test('with a sum of signed bytes', () => {
    const signed = (() => {
      const plain = header({ name: 'caf\xc3\xa9' });
      const sum = Number.parseInt(toByteString(plain.subarray(148, 154)), 8);
      return header({ name: 'caf\xc3\xa9', checksum: sum - 512 });
    })();
    expect(only(concat(signed, end()))).toMatchObject({ path: 'caf\xc3\xa9' });
  });

  test('of links and other types whose size is ignored', () => {
    const tar = concat(
      header({ name: 'l', type: '2', linkName: 't', size: 4096 }),
      file({ name: 'f' }, 'x'),
      end(),
    );
    expect(indexTar(tar).entries.map(({ path }) => path)).toEqual(['l', 'f']);
  });
});

describe('paths', () => {
  test.each([
    ['/etc/passwd', 'etc/passwd'],
    ['./a//b/./c/', 'a/b/c'],
    ['\xff\xfe', '\xff\xfe'],
    [' \n"', ' \n"'],
    ['a/../b', 'b'],
    ['./a/b/.././../c/', 'c'],
    ['/../b', 'b'],
    ['/a/../../b', 'b'],
  ])('%j', (name, path) => {
    expect(one({ name })).toMatchObject({ path });
    expect(one({ name: 'x', type: '1', linkName: name })).toMatchObject({ target: path });
  });

  test.each(['.', './', '/', '', 'a/..', '/..'])('%j is the root', (name) => {
    expect(one({ name, type: '5' })).toMatchObject({ path: '' });
    expect(() => one({ name })).toThrow('the root is not a directory');
  });

  test.each(['..', '../x', 'a/../../b', './..'])('%j is refused', (name) => {
    expect(() => one({ name })).toThrow(/^tar entry at byte 0: path ".*" leads out of its directory/);
    expect(() => one({ name: 'x', type: '1', linkName: name })).toThrow('leads out of its directory');
    expect(() => only(concat(pax([['path', name]]), header(), end()))).toThrow('leads out of its directory');
  });

  test('of 255-byte names and 4096 bytes, and no more', () => {
    const at = (path: string) => only(concat(pax([['path', path]]), header(), end()));
    expect(at('n'.repeat(255)).path).toHaveLength(255);
    expect(() => at('n'.repeat(256))).toThrow('name over 255 bytes');
    expect(at(`.wh.${'n'.repeat(255)}`).path).toHaveLength(259);
    expect(() => at(`.wh.${'n'.repeat(255)}/x`)).toThrow('name over 255 bytes');
    expect(at('n/'.repeat(2048)).path).toHaveLength(4095);
    expect(() => at(`n${'/nn'.repeat(1366)}`)).toThrow('over 4096 bytes');
  });
});

describe('GNU long names', () => {
  const long = 'l'.repeat(200);

  test('of entries and links', () => {
    const found = only(
      concat(
        file({ name: '././@LongLink', type: 'K' }, `${'t'.repeat(300)}\0`),
        file({ name: '././@LongLink', type: 'L' }, `${long}\0ignored`),
        header({ name: 'short', type: '2', linkName: 'short', magic: EXTENDED }),
        end(),
      ),
    );
    expect(found).toMatchObject({ path: long, target: 't'.repeat(300) });
  });

  test('apply to one entry', () => {
    const tar = concat(file({ type: 'L' }, long), header(), header({ name: 'next' }), end());
    expect(indexTar(tar).entries.map(({ path }) => path)).toEqual([long, 'next']);
  });
});

describe('PAX records', () => {
  const withRecords = (records: [string, string][], fields: Fields = {}, contents = '') =>
    only(concat(pax(records), file(fields, contents), end()));

  test('override the header', () => {
    const tar = concat(
      pax([
        ['path', 'p\xff/é'],
        ['size', '5'],
        ['uid', '4294967294'],
        ['gid', '2097152'],
        ['mtime', '1700000000.1234567899'],
        ['SCHILY.xattr.user.a', 'b\0c=\n'],
        ['SCHILY.xattr.user.none', ''],
        ['atime', 'whatever'],
        ['comment', 'x=y\n'],
      ]),
      file({ size: 0 }, 'hello'),
      end(),
    );
    const found = only(tar);
    expect(found).toMatchObject({
      path: 'p\xff/\xe9',
      size: 5,
      uid: 4294967294,
      gid: 2097152,
      mtime: 1_700_000_000,
      mtimeNs: 123_456_789,
      xattrs: [
        { name: 'user.a', value: toBytes('b\0c=\n') },
        { name: 'user.none', value: new Uint8Array(0) },
      ],
    });
    expect(contentsOf(tar, found)).toBe('hello');
  });

  test.each([
    ['0', 0, 0],
    ['-1', -1, 0],
    ['-0.25', -1, 750_000_000],
    ['-12.000000001', -13, 999_999_999],
    ['7.', 7, 0],
    ['9.5', 9, 500_000_000],
  ])('time %s', (mtime, seconds, mtimeNs) => {
    expect(withRecords([['mtime', mtime]])).toMatchObject({ mtime: seconds, mtimeNs });
  });

  test('override link targets', () => {
    expect(withRecords([['linkpath', 't'.repeat(4095)]], { type: '2', linkName: 'x' })).toMatchObject({
      target: 't'.repeat(4095),
    });
  });

  test('that are empty leave the header unchanged', () => {
    expect(
      withRecords(
        [
          ['path', ''],
          ['uid', ''],
          ['mtime', ''],
        ],
        { uid: 5, mtime: 6 },
      ),
    ).toMatchObject({
      path: 'name',
      uid: 5,
      mtime: 6,
    });
  });

  test('that are global apply until overridden', () => {
    const tar = concat(
      pax(
        [
          ['uid', '7'],
          ['gid', '8'],
        ],
        'g',
      ),
      header({ name: 'a' }),
      pax([['uid', '9']]),
      header({ name: 'b' }),
      pax([['uid', '']]),
      header({ name: 'c', uid: 3 }),
      pax([['gid', '10']], 'g'),
      header({ name: 'd' }),
      end(),
    );
    expect(indexTar(tar).entries.map(({ uid, gid }) => [uid, gid])).toEqual([
      [7, 8],
      [9, 8],
      [3, 8],
      [7, 10],
    ]);
  });

  test.each([
    ['no number', ' path=x\n'],
    ['no space', '8path=x\n'],
    ['too short', '5 path=x\n'],
    ['too long', '99 path=x\n'],
    ['a length of zero', '0 path=x\n'],
    ['a length of its own digits', '2 a=\n'],
    ['a negative length', '-9 path=x\n'],
    ['a huge length', '99999999999999999999 path=x\n'],
    ['no equals sign', '9 path x\n'],
    ['no key', '7 =xyz\n'],
    ['no end of line', '9 path=x '],
    ['rubbish after the last', `${paxRecord('uid', '1')}\0`],
  ])('with %s are refused', (_, payload) => {
    expect(() => only(concat(file({ type: 'x' }, payload), header(), end()))).toThrow('malformed PAX record');
  });

  test.each([
    ['uid', '-1', 'bad number'],
    ['uid', '1e3', 'bad number'],
    ['uid', '4294967295', 'owner out of range'],
    ['size', '99999999999999999999', 'bad number'],
    ['size', '9007199254740992', 'bad number'],
    ['size', '9007199254740991', 'size out of range'],
    ['mtime', 'now', 'bad time'],
    ['mtime', '1e9', 'bad time'],
    ['path', 'a\0b', 'NUL in the PAX record'],
    ['SCHILY.xattr.', 'x', 'bad name of an extended attribute'],
    ['SCHILY.xattr.user.\0', 'x', 'bad name of an extended attribute'],
    [`SCHILY.xattr.${'x'.repeat(256)}`, 'x', 'bad name of an extended attribute'],
    ['SCHILY.xattr.user.x', 'x'.repeat(65536), 'too large'],
  ])('%j=%j is refused', (key, value, message) => {
    expect(() => withRecords([[key, value]])).toThrow(message);
  });

  test('with too much in all attributes are refused', () => {
    const records = Array.from({ length: 4 }, (_, i): [string, string] => [
      `SCHILY.xattr.user.${i}`,
      'x'.repeat(60_000),
    ]);
    expect(() => withRecords(records)).toThrow('too many extended attributes');
  });
});

describe('the end', () => {
  const complete = concat(file({ name: 'a' }, 'x'.repeat(700)), file({ name: 'b' }, 'yz'));

  test.each([
    ['two blocks of zeros', end()],
    ['one block of zeros', new Uint8Array(BLOCK)],
    ['nothing', new Uint8Array(0)],
    ['more zeros', new Uint8Array(20 * BLOCK)],
    ['anything after the zeros', concat(end(), toBytes('rubbish'), file({ name: 'hidden' }, 'x'))],
  ])('%s', (_, rest) => {
    const { entries, size } = indexTar(concat(complete, rest));
    expect(entries.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(size).toBe(complete.length + rest.length);
  });

  test('within the padding of the last file', () => {
    const lastByte = 4 * BLOCK + 2;
    expect(indexTar(complete.subarray(0, lastByte)).entries).toHaveLength(2);
    expect(indexTar(complete.subarray(0, lastByte + 100)).size).toBe(lastByte + 100);
    expect(() => indexTar(complete.subarray(0, lastByte - 1))).toThrow('ends within an entry');
  });

  test.each([1, 511, 512 + 699, 3 * BLOCK + 1])('after %i bytes is too early', (length) => {
    expect(() => indexTar(complete.subarray(0, length))).toThrow('ends within an entry');
  });

  test.each([
    ['an extended header', pax([['path', 'x']])],
    ['part of an extended header', pax([['path', 'x']]).subarray(0, BLOCK + 3)],
    ['a long name', file({ type: 'L' }, 'x')],
    ['an empty extended header', header({ type: 'x' })],
    ['a map', header({ type: 'S', magic: EXTENDED, extra: [[482, '\x01']] })],
  ])('after %s is too early', (_, tar) => {
    expect(() => indexTar(tar)).toThrow('ends within an entry');
  });

  test('an empty tar has no entries', () => {
    expect(indexTar(new Uint8Array(0))).toEqual({ size: 0, entries: [] });
  });
});

describe('what is refused', () => {
  test.each<[string, Fields, string]>([
    ['a wrong checksum', { checksum: 1 }, 'bad checksum'],
    ['a checksum that is none', { checksum: 'nonsense' }, 'bad checksum'],
    ['letters in a number', { size: '0000000000z\0' }, 'bad size'],
    ['digits after a blank', { mode: '12 34  \0' }, 'bad mode'],
    ['a negative size', { size: '\xff'.repeat(12) }, 'size out of range'],
    ['a huge size', { size: `\x80${'\x7f'.repeat(11)}` }, 'bad size'],
    ['a negative owner', { uid: '\xff'.repeat(8) }, 'owner out of range'],
    ['an owner of 33 bits', { uid: '\x80\0\0\x02\0\0\0\0' }, 'owner out of range'],
    ['a device that Linux cannot name', { type: '3', major: 4096 }, 'device number out of range'],
    ['another', { type: '4', minor: 2 ** 20 }, 'device number out of range'],
    ['a link to nothing', { type: '2' }, 'symbolic link to nothing'],
    ['a hard link to nothing', { type: '1' }, 'hard link to the root'],
    ['a volume label', { type: 'V' }, 'unsupported type of entry "V"'],
    ['an unprintable type', { type: '\xff' }, 'unsupported type of entry'],
    ['an extended header of 2 MiB', { type: 'x', size: 2 << 20 }, 'over the limit'],
    ['a long name of -1 bytes', { type: 'L', size: '\xff'.repeat(12) }, 'over the limit'],
  ])('%s', (_, fields, message) => {
    expect(() => only(concat(header(fields), end()))).toThrow(message);
    expect(() => only(concat(header(fields), end()))).toThrow(ImageError);
  });

  test('one block of zeros between entries', () => {
    const tar = concat(header(), new Uint8Array(BLOCK), header(), end());
    expect(() => indexTar(tar)).toThrow('tar entry at byte 1024: a lone block of zeros before it');
  });

  test('an extended header before the end', () => {
    expect(() => indexTar(concat(pax([['uid', '1']]), end()))).toThrow(
      'the entry of an extended header is missing',
    );
  });

  test('rubbish', () => {
    const rubbish = Uint8Array.from({ length: 10 * BLOCK }, (_, i) => (i * 167 + 13) & 0xff);
    expect(() => indexTar(rubbish)).toThrow('tar entry at byte 0: bad checksum of a tar header');
  });

  test('a type that hides control characters', () => {
    expect(() => one({ type: '\x1b' })).toThrow('"\\u{1b}"');
  });

  const withLimits = (limits: ConstructorParameters<typeof TarIndexer>[0], tar: Uint8Array) => {
    const indexer = new TarIndexer(limits);
    indexer.push(tar);
    return indexer.finish();
  };

  test('more entries than the limit', () => {
    const tar = concat(header(), header(), header(), end());
    expect(withLimits({ entries: 3 }, tar).entries).toHaveLength(3);
    expect(() => withLimits({ entries: 2 }, tar)).toThrow('tar entry at byte 1024: more than 2 entries');
  });

  test('more names than the limit', () => {
    const tar = concat(
      pax([['SCHILY.xattr.user.a', '12345']]),
      header({ name: '1234', type: '2', linkName: '123' }),
      end(),
    );
    const record = '30 SCHILY.xattr.user.a=12345\n'.length;
    expect(withLimits({ names: record + 18 }, tar).entries).toHaveLength(1);
    expect(() => withLimits({ names: record + 17 }, tar)).toThrow('names and attributes of over');
  });

  test('global attributes multiplied by entries', () => {
    const attributes = pax([['SCHILY.xattr.user.a', 'x'.repeat(60_000)]], 'g');
    const entries = Array.from({ length: 100 }, () => header());
    expect(() => withLimits({ names: 1 << 20 }, concat(attributes, ...entries, end()))).toThrow(
      'names and attributes',
    );
  });
});

test('global headers with many unknown records take no longer', () => {
  const records = Array.from({ length: 50_000 }, (_, i): [string, string] => [`comment.${i}`, '']);
  const map = `0${',0'.repeat(100_001)}`;
  const tar = concat(
    pax(records, 'g'),
    pax(
      [
        ['GNU.sparse.map', map],
        ['GNU.sparse.size', '1'],
      ],
      'g',
    ),
    ...Array.from({ length: 5000 }, () => concat(pax([['uid', '1']]), header())),
    end(),
  );
  const time = processorTime(() => expect(indexTar(tar).entries).toHaveLength(5000));
  expect(time).toBeLessThan(10_000);
});

describe('sparse files', () => {
  const map = (text: string, contents: Uint8Array, size = '8192') =>
    concat(
      pax([
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.realsize', size],
      ]),
      file({}, concat(pad(toBytes(text)), contents)),
      end(),
    );
  const kilobyte = new Uint8Array(1024);

  test('of version 1.0', () => {
    expect(only(map('2\n0\n512\n4096\n512\n', kilobyte))).toMatchObject({
      size: 8192,
      offset: 4 * BLOCK,
      extents: [
        { offset: 0, length: 512 },
        { offset: 4096, length: 512 },
      ],
    });
  });

  test('with the end marked by an empty extent, or none at all', () => {
    expect(only(map('2\n512\n1024\n8192\n0\n', kilobyte))).toMatchObject({
      extents: [{ offset: 512, length: 1024 }],
    });
    expect(only(map('1\n8000\n0\n', new Uint8Array(0), '8000'))).toMatchObject({ size: 8000, extents: [] });
    expect(only(map('0\n', new Uint8Array(0)))).toMatchObject({ size: 8192, extents: [] });
  });

  test('with a map of several blocks', () => {
    const extents = Array.from({ length: 100 }, (_, i) => ({ offset: i * 1024, length: 512 }));
    const text = `100\n${extents.map(({ offset, length }) => `${offset}\n${length}\n`).join('')}`;
    expect(only(map(text, new Uint8Array(51200), '102400'))).toMatchObject({ extents });
  });

  test('of the old format, with a map of several blocks', () => {
    const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
    const extents = Array.from({ length: 30 }, (_, i) => ({ offset: i * 1024, length: 512 }));
    const numbers = extents.flatMap(({ offset, length }) => [octal(offset), octal(length)]);
    const block = (from: number, to: number, more: string) => {
      const bytes = new Uint8Array(BLOCK);
      bytes.set(toBytes(numbers.slice(from * 2, to * 2).join('')));
      bytes[504] = more.charCodeAt(0);
      return bytes;
    };
    const tar = concat(
      header({
        type: 'S',
        magic: EXTENDED,
        size: 30 * 512,
        extra: [
          [386, numbers.slice(0, 8).join('')],
          [482, '\x01'],
          [483, octal(30 * 1024)],
        ],
      }),
      block(4, 25, '\x01'),
      block(25, 30, '\0'),
      new Uint8Array(30 * 512),
      header({ name: 'next' }),
      end(),
    );
    const { entries } = indexTar(tar);
    expect(entries).toMatchObject([{ size: 30 * 1024, offset: 3 * BLOCK, extents }, { path: 'next' }]);
  });

  test.each([
    ['overlapping extents', '2\n0\n1024\n512\n512\n', 'overlapping or misplaced'],
    ['extents out of order', '2\n4096\n512\n0\n512\n', 'overlapping or misplaced'],
    ['an extent beyond the end', '1\n7680\n1024\n', 'overlapping or misplaced'],
    ['less than the contents', '1\n0\n512\n', 'does not match the size of the contents'],
    ['more than the contents', '1\n0\n2048\n', 'does not match the size of the contents'],
    ['extents that are not whole blocks', '2\n0\n500\n4096\n524\n', 'not multiples of 512 bytes'],
    ['extents between blocks', '1\n100\n1024\n', 'not multiples of 512 bytes'],
    ['letters', 'x\n', 'malformed sparse map'],
    ['negative numbers', '1\n-512\n1024\n', 'malformed sparse map'],
    ['a line without end', '9'.repeat(4096), 'malformed sparse map'],
    ['a count beyond all', '999999999\n', 'malformed sparse map'],
    ['a map beyond the contents', `300\n${'0\n'.repeat(510)}`, 'malformed sparse map'],
  ])('with %s are refused', (_, text, message) => {
    expect(() => only(map(text, kilobyte))).toThrow(message);
  });

  test('with an endless map are refused', () => {
    const lines = `99999999\n${'0\n'.repeat(1 << 20)}`;
    expect(() => only(map(lines, kilobyte))).toThrow('sparse map is too long');
  });

  test.each<[string, [string, string][], string]>([
    ['no size', [['GNU.sparse.map', '0,0']], 'without a size'],
    [
      'an unknown version',
      [
        ['GNU.sparse.major', '2'],
        ['GNU.sparse.realsize', '1'],
      ],
      'unknown format',
    ],
    ['no map', [['GNU.sparse.size', '1']], 'unknown format'],
    [
      'half a map',
      [
        ['GNU.sparse.size', '1'],
        ['GNU.sparse.map', '0,0,1'],
      ],
      'malformed',
    ],
  ])('with %s are refused', (_, records, message) => {
    expect(() => only(concat(pax(records), header(), end()))).toThrow(message);
  });
});

test('any division of the tar into pieces gives the same result', () => {
  const indexInParts = (tar: Uint8Array, lengths: readonly number[]): TarIndex => {
    const indexer = new TarIndexer();
    for (let at = 0, i = 0; at < tar.length; i++) {
      const length = (lengths[i % lengths.length] ?? 0) + 1;
      indexer.push(tar.slice(at, at + length));
      at += length;
    }
    return indexer.finish();
  };
  fc.assert(
    fc.property(layerSpecs, fc.array(fc.nat(1500), { minLength: 1 }), (layers, lengths) => {
      const tar = concat(...layers.flat().map(entry), end());
      expect(indexInParts(tar, lengths)).toEqual(indexTar(tar));
    }),
    { numRuns: 100 },
  );
});

test('damaged tars are read or refused, without any other effect', () => {
  const tar = concat(
    pax([
      ['path', 'long'],
      ['SCHILY.xattr.user.x', 'y'],
    ]),
    file({}, 'contents'),
    file({ type: 'L' }, 'name'),
    header({ type: '2', linkName: 'target' }),
    file(
      {
        type: 'S',
        magic: EXTENDED,
        extra: [
          [386, '00000000000\x0000000001000\0'],
          [483, '00000001000\0'],
        ],
      },
      'x'.repeat(512),
    ),
    end(),
  );
  expect(indexTar(tar).entries).toHaveLength(3);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const damaged = tar.slice();
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          indexTar(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

const hasTar = (program: string, name: string) => spawnSync(program, ['--version']).stdout?.includes(name);

describe('tars by other programs', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'linuxrun-tar-'));
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/file'), 'contents of a file');
    chmodSync(join(folder, 'd/file'), 0o4751);
    utimesSync(join(folder, 'd/file'), 1e9, 1e9);
    linkSync(join(folder, 'd/file'), join(folder, 'd/second'));
    symlinkSync('../elsewhere', join(folder, 'd/link'));
    // A prefix and a name, so that ustar can represent it.
    mkdirSync(join(folder, 'd', 'x'.repeat(90)));
    writeFileSync(join(folder, 'd', 'x'.repeat(90), 'y'.repeat(90)), 'deep');
    writeFileSync(join(folder, 'd/sparse'), 'data');
    truncateSync(join(folder, 'd/sparse'), 1 << 20);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const make = (program: string, options: string[]): Uint8Array => {
    const { stdout, stderr, status } = spawnSync(program, [...options, '-C', folder, '-cf', '-', 'd'], {
      maxBuffer: 1 << 26,
    });
    if (status !== 0) throw new Error(stderr.toString());
    return new Uint8Array(stdout);
  };

  const check = (tar: Uint8Array, isSparse: boolean) => {
    const found = new Map(indexTar(tar).entries.map((each) => [each.path, each]));
    const deep = `d/${'x'.repeat(90)}/${'y'.repeat(90)}`;
    expect([...found.keys()].sort()).toEqual(
      ['d', 'd/file', 'd/link', 'd/second', 'd/sparse', `d/${'x'.repeat(90)}`, deep].sort(),
    );
    const original = ['d/file', 'd/second'].map((path) => found.get(path));
    expect(original.map((each) => each?.type).sort()).toEqual(['file', 'hardlink']);
    const contents = original.find((each) => each?.type === 'file') as TarEntry;
    expect(contents).toMatchObject({ mode: 0o4751, mtime: 1e9, size: 18 });
    expect(contentsOf(tar, contents)).toBe('contents of a file');
    expect(found.get('d/link')).toMatchObject({ type: 'symlink', target: '../elsewhere' });
    expect(contentsOf(tar, found.get(deep) as TarEntry)).toBe('deep');
    expect(found.get('d/sparse')).toMatchObject({ type: 'file', size: 1 << 20 });
    if (isSparse) expect(found.get('d/sparse')).toMatchObject({ extents: [{ offset: 0, length: 4096 }] });
  };

  describe.skipIf(!hasTar('tar', 'GNU tar'))('GNU tar', () => {
    test.each(['ustar', 'oldgnu', 'gnu', 'posix'])('%s', (format) => {
      check(make('tar', [`--format=${format}`]), false);
    });
    test.each([
      ['oldgnu', ''],
      ['gnu', ''],
      ['posix', '0.0'],
      ['posix', '0.1'],
      ['posix', '1.0'],
    ])('%s %s, sparse', (format, version) => {
      const options = version === '' ? [] : [`--sparse-version=${version}`];
      check(make('tar', ['-S', `--format=${format}`, ...options]), true);
    });
  });

  describe.skipIf(!hasTar('bsdtar', 'bsdtar'))('bsdtar', () => {
    test.each(['ustar', 'gnutar', 'pax'])('%s', (format) => {
      check(make('bsdtar', [`--format=${format}`, '--no-read-sparse']), false);
    });
  });
});

describe.skipIf(!HAS_IMAGES)('layers of ../shared/images', () => {
  test('without their end, even without padding', () => {
    const layers = readLayers('edge-whiteout').map(indexTar);
    expect(layers.slice(2).map(({ entries }) => entries.map(({ path }) => path))).toEqual([
      ['opt/a', 'opt/a/.wh.sub', 'opt/b', 'opt/b/.wh.keep', 'srv', 'srv/.wh.abs'],
      ['opt/a/.wh..wh..opq', 'opt/a', 'opt/a/only-this'],
      ['srv/.wh.rel'],
    ]);
    expect(layers[3]?.size).toBe(1540);
  });
});
