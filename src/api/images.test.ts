import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { nodeCodec } from '../oci/node-codec.ts';
import { FakeRegistry } from '../oci/testing/fake-registry.ts';
import { makeImage, makeIndex, makeLayer, makeTar } from '../oci/testing/image.ts';
import { VisibleStore } from '../oci/testing/pull.ts';
import { browserLibrary } from './browser-library.ts';
import { ImageError, StorageError } from './errors.ts';
import { host } from './host.ts';
import { type ImageAccess, inspectSource, loadImage } from './load-image.ts';
import { configure, images, type PullEvent } from './node.ts';

const base = makeLayer(makeTar([{ path: 'base', contents: new Uint8Array(5000) }]));
const top = makeLayer(makeTar([{ path: 'top' }]));
const [small, large] = [makeImage([base]), makeImage([base, top])];

let registry: FakeRegistry;
let folder: string;
const name = (path: string) => `${registry.host}/${path}`;

beforeAll(async () => {
  registry = await FakeRegistry.start();
  registry.add('team/small:1', small);
  registry.add('team/large:1', large);
  const other = { os: 'linux', architecture: 'amd64' };
  registry.addIndex(
    'team/many:1',
    makeIndex([
      { image: small, platform: other },
      { image: large, platform: { ...other, architecture: 'riscv64' } },
    ]),
  );
  registry.add('team/many:unnamed', large);
});
afterAll(() => registry.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-images-'));
  configure({ store: join(folder, 'store') });
  registry.requests.length = 0;
});
afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

test('pulls with progress, and lists sizes with what images share', async () => {
  const events: PullEvent[] = [];
  await images.pull(name('team/small:1'), { onProgress: (event) => events.push(event) });
  expect(events.map(({ type }) => type)).toEqual(['resolved', 'progress', 'stored']);
  const pulled = await images.pull(name('team/large:1'));
  expect(pulled).toMatchObject({
    reference: name('team/large:1'),
    digest: large.digest,
    layers: large.diffIds,
    size: base.tar.length + top.tar.length,
    ownSize: top.tar.length,
    inUse: false,
  });
  const [first, second] = await images.list();
  expect([first?.reference, second?.reference]).toEqual([name('team/large:1'), name('team/small:1')]);
  expect(second).toMatchObject({ size: base.tar.length, ownSize: 0 });
  expect(Date.now() - (first?.lastUsed.getTime() ?? 0)).toBeLessThan(60_000);
  const { usedBytes, freeBytes, isPersistent } = await images.storage();
  expect([usedBytes, isPersistent]).toEqual([base.tar.length + top.tar.length, true]);
  expect(freeBytes).toBeGreaterThan(0);
});

test('removes an image with the layers that no other needs', async () => {
  await images.pull(name('team/small:1'));
  await images.pull(name('team/large:1'));
  await images.remove(name('team/large:1'));
  expect((await images.storage()).usedBytes).toBe(base.tar.length);
  await images.remove(name('team/small:1'));
  expect(await images.list()).toEqual([]);
  expect((await images.storage()).usedBytes).toBe(0);
});

test('does not remove what a container uses, nor what is not there', async () => {
  await images.pull(name('team/small:1'));
  const used = await host().loadImage(name('team/large:1'), {});
  const [large, small] = await images.list();
  // Its only layer is in use, by the other image.
  expect([large?.inUse, small?.inUse]).toEqual([true, true]);
  await expect(images.remove(name('team/large:1'))).rejects.toThrow(StorageError);
  await used.release();
  await images.remove(name('team/large:1'));
  const missing = images.remove(name('team/large:1'));
  await expect(missing).rejects.toThrow(ImageError);
  await expect(missing).rejects.toMatchObject({ kind: 'not-found' });
});

describe('the policy', () => {
  test('missing asks the registry once, always each time, and never not at all', async () => {
    const reference = name('team/small:1');
    await expect(images.pull(reference, { policy: 'never' })).rejects.toMatchObject({ kind: 'not-found' });
    expect(registry.requests).toEqual([]);
    await images.pull(reference, { policy: 'missing' });
    registry.requests.length = 0;
    await images.pull(reference, { policy: 'missing' });
    await images.pull(reference, { policy: 'never' });
    expect(registry.requests).toEqual([]);
    await images.pull(reference);
    expect(registry.requests.length).toBeGreaterThan(0);
  });

  test('missing takes an old image when the source cannot be reached, and always does not', async () => {
    const store = new VisibleStore();
    const source = await sourceOf(name('team/small:1'));
    let isReachable = true;
    const access: ImageAccess = {
      codec: nodeCodec,
      nameOf: () => source.reference,
      prefersStored: () => false,
      openStore: () => store,
      openSource: () => ({
        ...source,
        resolve: (context) =>
          isReachable ? source.resolve(context) : Promise.reject(new ImageError('no way', 'network')),
      }),
    };
    await (await loadImage(access, 'x')).release();
    isReachable = false;
    const old = await loadImage(access, 'x');
    expect(old.digest).toBe(small.digest);
    await old.release();
    await expect(loadImage(access, 'x', { policy: 'always' })).rejects.toThrow('no way');
    await expect(inspectSource(access, 'x')).rejects.toThrow('no way');
  });
});

describe('inspection', () => {
  test('asks the source before the pull, and the store afterwards', async () => {
    const reference = name('team/many:1');
    const before = await images.inspect(reference);
    expect(before).toMatchObject({
      reference,
      digest: large.digest,
      layers: large.diffIds,
      platforms: ['linux/amd64', 'linux/riscv64'],
      size: base.blob.length + top.blob.length,
      isStored: false,
    });
    expect(before.config).toMatchObject({ entrypoint: ['/bin/program'], user: 'nobody:users' });
    expect(await images.list()).toEqual([]);
    await images.pull(reference);
    registry.requests.length = 0;
    const after = await images.inspect(reference);
    expect(registry.requests).toEqual([]);
    expect(after).toEqual({
      ...before,
      platforms: ['linux/riscv64'],
      size: base.tar.length + top.tar.length,
      isStored: true,
    });
    expect(await images.inspect(reference, { policy: 'always' })).toEqual(before);
  });

  test('can be kept to the store', async () => {
    const asked = images.inspect(name('team/many:1'), { policy: 'never' });
    await expect(asked).rejects.toMatchObject({ kind: 'not-found' });
    expect(registry.requests).toEqual([]);
  });
});

test('a browser names picked files, and looks again at what is on its server', () => {
  vi.stubGlobal('navigator', { onLine: true });
  const file = new File([], 'image.tar');
  expect(browserLibrary.nameOf({ file })).toBe('file://image.tar');
  expect(browserLibrary.nameOf({ file, image: { name: 'app:1' } })).toBe('file://image.tar:app:1');
  expect(browserLibrary.nameOf({ name: 'layout', files: new Map() })).toBe('file://layout');
  expect(browserLibrary.nameOf('alpine')).toBe('docker.io/library/alpine:latest');
  expect(
    ['alpine', 'file://image.tar', 'oci://images:busybox', { file }].map(browserLibrary.prefersStored),
  ).toEqual([true, true, false, false]);
});

async function sourceOf(reference: string) {
  const { nodeImages } = await import('./node-images.ts');
  return nodeImages({ store: folder, assets: folder, mirror: undefined }).openSource(reference, undefined);
}
