import { BlobWriter, TextReader, ZipWriter } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { expect, test } from 'vitest';
import { collect } from '../../oci/bytes.ts';
import { writeTar } from '../../oci/tar-stream.ts';
import { readArchive } from './project-archive.ts';

const MANIFEST = '{"linuxrun":1,"name":"x","settings":{"LINUXRUN_IMAGE":"alpine"}}';
const bytes = (text: string) => new TextEncoder().encode(text);
const blob = (content: Uint8Array) => new Blob([new Uint8Array(content)]);

async function zip(entries: Readonly<Record<string, string>>): Promise<Blob> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const [name, text] of Object.entries(entries))
    await writer.add(name, new TextReader(text), { unixMode: text.startsWith('#!') ? 0o100755 : 0o100644 });
  return writer.close();
}

/** @param entries texts by names; those of links begin with an arrow */
function tarOf(entries: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const files = Object.entries(entries).map(([name, text]) => {
    const target = text.startsWith('→') ? text.slice(1) : undefined;
    const content = bytes(target === undefined ? text : '');
    const mode = text.startsWith('#!') ? 0o755 : 0o644;
    return { name, mode, target, size: content.length, content: new Blob([content]).stream() };
  });
  return collect(writeTar(files), 1 << 20, 'the tar');
}

const GOOD = { 'repo/linuxrun.json': MANIFEST, 'repo/a/run.sh': '#!/bin/sh', 'repo/b': 'text' };
const FILES = [
  { path: 'a/run.sh', content: bytes('#!/bin/sh'), isExecutable: true },
  { path: 'b', content: bytes('text'), isExecutable: false },
];

test('a zip and a tar hold the same project', async () => {
  expect((await readArchive(await zip(GOOD)))?.files).toEqual(FILES);
  expect((await readArchive(blob(await tarOf(GOOD))))?.files).toEqual(FILES);
});

test('tars have names and links of any length and language', async () => {
  const long = `${'größer/'.repeat(20)}ende`;
  const tar = await tarOf({ 'linuxrun.json': MANIFEST, [long]: 'text', link: `→../${'x'.repeat(150)}` });
  expect((await readArchive(blob(tar)))?.files).toMatchObject([
    { path: long, content: bytes('text') },
    { path: 'link', target: `../${'x'.repeat(150)}` },
  ]);
});

test('a tar with anything but files, folders and links is refused', async () => {
  const tar = await tarOf({ 'linuxrun.json': MANIFEST, device: '' });
  // The header of the second file is the third block.
  const header = tar.subarray(1024, 1536);
  header[156] = '3'.charCodeAt(0);
  header.fill(32, 148, 156);
  const sum = header.reduce((sum, byte) => sum + byte, 0);
  header.set(bytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  await expect(readArchive(blob(tar))).rejects.toThrow(/device is neither a file, nor a folder/);
});

test('what is no project is left to others, except a zip, which nothing else is', async () => {
  const image = await tarOf({ 'oci-layout': '{}' });
  expect(await readArchive(blob(image))).toBeUndefined();
  expect(await readArchive(blob(bytes('no tar at all')))).toBeUndefined();
  await expect(readArchive(await zip({ a: '' }))).rejects.toThrow(/there is no linuxrun.json/);
});

test('damaged zips are refused', async () => {
  const good = new Uint8Array(await (await zip(GOOD)).arrayBuffer());
  for (const length of [8, 60, good.length - 30])
    await expect(readArchive(blob(good.slice(0, length)))).rejects.toThrow(/the archive is damaged/);
  const wrong = good.slice();
  const { length: name } = 'repo/linuxrun.json';
  const data = 30 + name + new DataView(wrong.buffer).getUint16(28, true);
  wrong[data + 5] = (wrong[data + 5] ?? 0) ^ 0xff;
  await expect(readArchive(blob(wrong))).rejects.toThrow(/damaged|no JSON/);
});

test('a small zip of many bytes is not unpacked to its end', async () => {
  const bomb = await zip({ 'linuxrun.json': MANIFEST, zeros: '0'.repeat(80 << 20) });
  expect(bomb.size).toBeLessThan(1 << 20);
  await expect(readArchive(bomb)).rejects.toThrow(/larger than 64 MB/);
});
