/** A mirror of Docker Hub behind the proxy. Being on this machine, only the operator's word allows it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeRegistry } from '../../oci/testing/fake-registry.ts';
import { makeImage, makeLayer, makeTar } from '../../oci/testing/image.ts';
import { type Client, World } from './testing/world.ts';

const IMAGE = makeImage([makeLayer(makeTar([{ path: 'a', contents: new Uint8Array(1000) }]))]);
const MANIFEST = 'registry-1.docker.io/v2/library/alpine/manifests/3';
const BLOB = `registry-1.docker.io/v2/library/alpine/blobs/${IMAGE.diffIds[0]}`;
const CREDENTIALS = { headers: { 'Registry-Authorization': `Basic ${btoa('user:secret')}` } };

let world: World;
let mirror: FakeRegistry;
let client: Client;
beforeEach(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  world = new World();
  mirror = await world.registry();
  mirror.add('library/alpine:3', IMAGE);
  client = await proxyFor(`http://${mirror.host}`);
});
afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

const proxyFor = (origin: string) =>
  world.proxy([], { registries: ['docker.io', 'ghcr.io'], mirror: origin });

describe('a mirror of Docker Hub', () => {
  it.each(['registry-1.docker.io', 'docker.io'])('answers for %s', async (host) => {
    const manifest = await client.bytes(`${host}/v2/library/alpine/manifests/3`);
    expect(manifest.equals(IMAGE.manifest)).toBe(true);
    expect(mirror.requests.map(({ path }) => path)).toContain('/v2/library/alpine/manifests/3');
  });

  it('gives the blobs and the tokens that it asks for', async () => {
    mirror.auth = { token: 'everyone' };
    expect((await client.bytes(MANIFEST)).equals(IMAGE.manifest)).toBe(true);
    const blob = IMAGE.layers[0]?.blob ?? new Uint8Array();
    const path = BLOB.replace(
      /sha256:.*/,
      JSON.parse(Buffer.from(IMAGE.manifest).toString()).layers[0].digest,
    );
    expect((await client.bytes(path)).equals(blob)).toBe(true);
  });

  it('never gets the account at Docker Hub', async () => {
    mirror.auth = { credentials: 'user:secret', token: 'for the user' };
    await client.failure(MANIFEST, CREDENTIALS);
    expect(mirror.requests.filter(({ authorization }) => /secret|Basic/.test(authorization ?? ''))).toEqual(
      [],
    );
  });

  it('is not asked for the images of others', async () => {
    await client.failure('ghcr.io/v2/library/alpine/manifests/3');
    expect(mirror.requests).toEqual([]);
  });

  it('is named when it lacks an image', async () => {
    const { status, message } = await client.failure(MANIFEST.replace(/3$/, '4'));
    expect(status).toBe(404);
    expect(message).toMatch(`Docker Hub's mirror http://${mirror.host}: there is no such image`);
  });

  it('is named when it cannot be reached', async () => {
    const { status, message } = await (await proxyFor('http://127.0.0.1:1')).failure(MANIFEST);
    expect(status).toBe(502);
    expect(message).toBe(
      "Docker Hub's mirror http://127.0.0.1:1: cannot reach 127.0.0.1:1 (ECONNREFUSED): try again later",
    );
  });

  it('opens no way to other servers of its machine', async () => {
    const other = await world.registry();
    mirror.intercept = (request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(307, { Location: `http://${other.host}/secret` }).end();
      return true;
    };
    expect((await client.failure(BLOB)).code).toBe('NOT_ALLOWED');
    const { code } = await client.failure(`${other.host}/v2/library/alpine/manifests/3`);
    expect(code).toBe('NOT_ALLOWED');
    expect(other.requests).toEqual([]);
  });
});
