import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packagesInUse, writeLicences } from './licences.mjs';
import { inProject } from './places.mjs';
import { writeMissingPage } from './plain-page.mjs';
import { writeRelease } from './site.mjs';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-site-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

describe('a release', () => {
  const write = async (version = '1') => {
    const [page, shared, target] = ['page', 'public', 'site'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeRelease({ page, shared, target, version });
    const index = await readFile(join(target, 'index.html'), 'utf8');
    const worker = await readFile(join(target, 'service-worker.js'), 'utf8');
    return { index, worker, id: /name="linuxrun-release" content="(\w+)"/.exec(index)?.[1] ?? '' };
  };

  beforeEach(async () => {
    await put('page/index.html', '<html><head></head></html>');
    await put('page/assets/app.js', 'app');
    await put('page/_headers', '/*\n  Cross-Origin-Embedder-Policy: require-corp\n');
    await put('page/.vite/manifest.json', '{}');
    await put('public/kernel/Image', 'kernel');
    await put('public/images/index.json', '{}');
    await put('public/huge/blob', 'an image of the operator');
  });

  it('names its files in the worker, and its id in the page and the worker', async () => {
    const { index, worker, id } = await write('1.2 (abc)');
    expect(index).toContain('<meta name="linuxrun-version" content="1.2 (abc)">');
    expect(worker).toContain(id);
    for (const file of ['assets/app.js', 'kernel/Image', 'images/index.json'])
      expect(worker).toContain(`"${file}"`);
    expect(worker).toContain('"Cross-Origin-Embedder-Policy":"require-corp"');
    expect(worker).not.toMatch(/_headers|manifest\.json|huge/);
  });

  it('has another id when any file or the version changes, and the same id otherwise', async () => {
    const ids = [(await write()).id, (await write('2')).id];
    expect((await write()).id).toBe(ids[0]);
    for (const path of ['page/index.html', 'page/assets/app.js', 'public/kernel/Image']) {
      await put(path, `<head></head>changed ${path}`);
      ids.push((await write()).id);
    }
    expect(new Set(ids).size).toBe(5);
  });
});

describe('licences', () => {
  it('are those of every package in the page and the server, and of what these need', async () => {
    const works = await packagesInUse();
    const { dependencies } = JSON.parse(await readFile(inProject('package.json'), 'utf8'));
    const names = works.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([...Object.keys(dependencies), 'scheduler', 'assemblyscript']),
    );
    for (const { name, licence, text } of works) {
      expect(licence, name).toMatch(/MIT|Apache-2\.0|BSD|ISC|OFL|0BSD|bzip2-1\.0\.6/);
      expect(text.length, name).toBeGreaterThan(300);
    }
  });

  it('are on a page with those of the guest', async () => {
    const html = await writeLicences('');
    for (const text of [
      'Linux 6.12',
      'GPL-2.0-only',
      'BusyBox',
      'GNU LESSER GENERAL PUBLIC LICENSE',
      'busybox-static',
      'qemu-user',
      'react-dom',
      'OFL-1.1',
    ])
      expect(html).toContain(text);
    expect(html).toContain('GNU GENERAL PUBLIC LICENSE');
  });
});

it('the page for wrong addresses leads back from every folder', () => {
  for (const target of ['/', '/docs/']) expect(writeMissingPage('')).toContain(`<a href="${target}">`);
});
