import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeCpio } from './cpio.mjs';

interface Found {
  path: string;
  mode: number;
  device: [number, number];
  data: Buffer;
  dataAt: number;
}

/**
 * Reads as the kernel does (init/initramfs.c): names and data are padded to 4, zeros between records skipped.
 */
function readCpio(archive: Buffer): Found[] {
  const found: Found[] = [];
  for (let at = 0; ; ) {
    while (archive[at] === 0) at++;
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    expect(at % 4).toBe(0);
    const [nameSize, size] = [field(11), field(6)];
    const name = archive.toString('utf8', at + 110, at + 110 + nameSize);
    expect(name.endsWith('\0')).toBe(true);
    const path = name.slice(0, name.indexOf('\0'));
    if (path === 'TRAILER!!!') return found;
    const dataAt = (at + 110 + nameSize + 3) & ~3;
    const data = archive.subarray(dataAt, dataAt + size);
    found.push({ path, mode: field(1), device: [field(9), field(10)], data, dataAt });
    at = (dataAt + size + 3) & ~3;
  }
}

test('writes directories, files, links and devices', () => {
  const archive = writeCpio([
    { path: 'dev', type: 'directory' },
    { path: 'dev/console', type: 'character device', mode: 0o600, device: [5, 1] },
    { path: 'init', type: 'file', data: Buffer.from('#!') },
    { path: 'sh', type: 'symlink', target: 'busybox', mode: 0o777 },
  ]);
  expect(readCpio(archive).map(({ path, mode, device, data }) => [path, mode, device, String(data)])).toEqual(
    [
      ['dev', 0o040755, [0, 0], ''],
      ['dev/console', 0o020600, [5, 1], ''],
      ['init', 0o100755, [0, 0], '#!'],
      ['sh', 0o120777, [0, 0], 'busybox'],
    ],
  );
});

test('any files come back complete, each at a multiple of 8 bytes', () => {
  const path = fc.stringMatching(/^[a-zé]{1,20}$/);
  const file = fc.record({
    path,
    type: fc.constant('file' as const),
    data: fc.uint8Array({ maxLength: 70 }),
  });
  fc.assert(
    fc.property(fc.array(file), (files) => {
      const found = readCpio(writeCpio(files));
      expect(found.map((entry) => entry.path)).toEqual(files.map((entry) => entry.path));
      for (const [index, { data, dataAt }] of found.entries()) {
        expect([...data]).toEqual([...(files[index]?.data ?? [])]);
        expect(dataAt % 8).toBe(0);
      }
    }),
  );
});
