/** Pulls images as browsers do: our client, through the proxy. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proxiedFetch } from '../../oci/proxied-fetch.ts';
import { parseReference } from '../../oci/reference.ts';
import { Registry } from '../../oci/registry.ts';
import type { Credentials } from '../../oci/registry-auth.ts';
import { ContentSource } from '../../oci/resolve.ts';
import { makeImage, makeLayer, makeTar, sha256 } from '../../oci/testing/image.ts';
import { pull, TIMING, VisibleStore } from '../../oci/testing/pull.ts';
import { DockerRegistry, hasDockerRegistry } from './testing/docker-registry.ts';
import { listing, World } from './testing/world.ts';

const TARS = ['a', 'b', 'c'].map((path) => makeTar([{ path, contents: randomBytes(3 << 20) }]));
const IMAGE = makeImage(TARS.map(makeLayer));

let world: World;
beforeEach(() => {
  // The server logs downloads that break off.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  world = new World();
});
afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

function source(proxy: string, text: string, credentials?: Credentials) {
  const reference = parseReference(text);
  if (reference.scheme !== 'docker') throw new Error('not of a registry');
  const fetch = proxiedFetch(new URL('registry/', proxy));
  const timing = { ...TIMING, patience: 20_000 };
  return new ContentSource(new Registry(reference, { fetch, credentials, timing }));
}

async function expectStored(store: VisibleStore): Promise<void> {
  for (const [index, tar] of TARS.entries())
    expect(Buffer.from(await store.tar(IMAGE.diffIds[index] ?? '')).equals(tar)).toBe(true);
}

describe('an image', () => {
  it('is pulled, the second time from the cache', async () => {
    const registry = await world.registry();
    registry.add('team/app:1', IMAGE);
    registry.auth = { token: 'anonymous' };
    const folder = await world.folder();
    const { host } = registry;
    const { url } = await world.proxy([host], { cache: { folder, capacity: 64 << 20 } });
    const store = new VisibleStore();
    const pulled = await pull(source(url, `${host}/team/app:1`), store);
    expect(pulled.digest).toBe(IMAGE.digest);
    await expectStored(store);
    expect(await listing(folder)).toHaveLength(5);

    await registry.stop();
    const again = new VisibleStore();
    await pull(source(url, `${host}/team/app@${IMAGE.digest}`), again);
    await expectStored(again);
  });

  it('is pulled with a password', async () => {
    const registry = await world.registry();
    registry.add('team/app:1', IMAGE);
    registry.auth = { token: 'private', credentials: 'user:open sesame' };
    const { url } = await world.proxy([registry.host]);
    const text = `${registry.host}/team/app:1`;
    await expect(pull(source(url, text), new VisibleStore())).rejects.toMatchObject({ kind: 'denied' });
    const store = new VisibleStore();
    await pull(source(url, text, { username: 'user', password: 'open sesame' }), store);
    await expectStored(store);
  });

  it('is pulled from a registry that breaks off repeatedly', async () => {
    const registry = await world.registry();
    registry.add('team/app:1', IMAGE);
    let broken = 0;
    registry.intercept = (request, response) => {
      const [, digest] = /\/blobs\/(.*)$/.exec(request.url ?? '') ?? [];
      const blob = registry.blobs.get(digest ?? '');
      if (!blob || blob.length < 1 << 20 || broken >= 6) return false;
      broken++;
      const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
      const start = Number(from);
      response.writeHead(start > 0 ? 206 : 200, {
        'Content-Length': blob.length - start,
        ...(start > 0 && { 'Content-Range': `bytes ${start}-${blob.length - 1}/${blob.length}` }),
      });
      response.write(blob.subarray(start, start + 600_000), () => setTimeout(() => response.destroy(), 50));
      return true;
    };
    const { url } = await world.proxy([registry.host]);
    const store = new VisibleStore();
    await pull(source(url, `${registry.host}/team/app:1`), store);
    await expectStored(store);
    expect(broken).toBe(6);
  });

  it('that is forged leaves nothing in store and cache', async () => {
    const registry = await world.registry();
    registry.add('team/app:1', IMAGE);
    const [layer] = IMAGE.layers;
    if (!layer) throw new Error('no layer');
    const forged = Buffer.from(layer.blob);
    // The operating system in the gzip header: only the digest shows the change.
    forged.writeUInt8(forged.readUInt8(9) ^ 1, 9);
    registry.blobs.set(sha256(layer.blob), forged);
    const folder = await world.folder();
    const { url } = await world.proxy([registry.host], { cache: { folder, capacity: 64 << 20 } });
    const store = new VisibleStore();
    await expect(pull(source(url, `${registry.host}/team/app:1`), store)).rejects.toThrow();
    expect(await store.snapshot()).toEqual({});
    expect(await listing(folder)).not.toContain(`blob-${sha256(layer.blob).replace(':', '-')}`);
  });

  it('of a registry that is not listed is refused with the reason', async () => {
    const { url } = await world.proxy([]);
    const pulling = pull(source(url, 'registry.example/a:1'), new VisibleStore());
    await expect(pulling).rejects.toMatchObject({
      kind: 'policy',
      message: expect.stringMatching(
        /^this server does not fetch images from registry\.example; .*default,registry\.example$/,
      ),
    });
  });
});

describe.skipIf(!hasDockerRegistry)('docker-registry', () => {
  it('is pulled from', async () => {
    const registry = await DockerRegistry.start(await world.folder());
    try {
      await registry.push('team/app', '1', IMAGE);
      const folder = await world.folder();
      const client = await world.proxy([registry.host], { cache: { folder, capacity: 64 << 20 } });
      const store = new VisibleStore();
      const pulled = await pull(source(client.url, `${registry.host}/team/app:1`), store);
      expect(pulled.digest).toBe(IMAGE.digest);
      await expectStored(store);
      const tags = await client.get(`${registry.host}/v2/team/app/tags/list`);
      expect(await tags.json()).toEqual({ name: 'team/app', tags: ['1'] });
      const missing = await client.failure(`${registry.host}/v2/team/app/manifests/2`);
      expect(missing).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' });
      expect(await client.failure(`${registry.host}/v2/team/none/tags/list`)).toMatchObject({
        code: 'NAME_UNKNOWN',
      });
    } finally {
      await registry.stop();
    }
  });
});
