/** Pulls from odd registries, directly and through the proxy: both ways must accept and refuse the same. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeFetch } from '../../oci/node-fetch.ts';
import { proxiedFetch } from '../../oci/proxied-fetch.ts';
import { parseReference } from '../../oci/reference.ts';
import { Registry } from '../../oci/registry.ts';
import { ContentSource } from '../../oci/resolve.ts';
import type { FakeRegistry } from '../../oci/testing/fake-registry.ts';
import { makeImage, makeIndex, makeLayer, makeTar, sha256 } from '../../oci/testing/image.ts';
import { pull, TIMING, VisibleStore } from '../../oci/testing/pull.ts';
import { World } from './testing/world.ts';

const IMAGE = makeImage([makeLayer(makeTar([{ path: 'a', contents: randomBytes(2 << 20) }]))]);
const INDEX = makeIndex([{ image: IMAGE, platform: { os: 'linux', architecture: 'riscv64' } }]);
const OTHER = sha256(new Uint8Array(1));

/** Answers with a body that the registry has. */
type Answer = (response: ServerResponse, body: Uint8Array, request: IncomingMessage) => void;

/** Sends the body with these headers and no others. */
const withHeaders =
  (headers: Record<string, string>): Answer =>
  (response, body) =>
    response.writeHead(200, headers).end(body);

type Case = [name: string, kind: 'manifests' | 'blobs', answer: Answer];

const ACCEPTED: Case[] = [
  ['a manifest as text', 'manifests', withHeaders({ 'Content-Type': 'text/plain' })],
  ['a manifest as a page', 'manifests', withHeaders({ 'Content-Type': 'text/html; charset=utf-8' })],
  ['a manifest as bytes', 'manifests', withHeaders({ 'Content-Type': 'application/octet-stream' })],
  ['a manifest of a strange type', 'manifests', withHeaders({ 'Content-Type': 'x;;; "' })],
  ['a manifest of no type and digest', 'manifests', withHeaders({})],
  ['a manifest with no valid digest', 'manifests', withHeaders({ 'Docker-Content-Digest': 'sha256:1' })],
  ['a manifest with a wrong encoding', 'manifests', withHeaders({ 'Content-Encoding': 'gzip' })],
  ['a layer as a page', 'blobs', withHeaders({ 'Content-Type': 'text/html' })],
  ['a layer with an encoding', 'blobs', withHeaders({ 'Content-Encoding': 'gzip' })],
  ['a blob with the digest of another', 'blobs', withHeaders({ 'Docker-Content-Digest': OTHER })],
  ['a whole blob as a part', 'blobs', (response, body) => response.writeHead(206).end(body)],
  [
    'a part that does not say which it is',
    'blobs',
    (response, body, { headers }) => {
      const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
      if (start !== undefined) response.writeHead(206).end(body.subarray(Number(start)));
      else if (body.length < 1 << 20) response.end(body);
      else {
        response.writeHead(200, { 'Content-Length': body.length });
        response.write(body.subarray(0, body.length / 2), () => setTimeout(() => response.destroy(), 50));
      }
    },
  ],
  [
    'only what is asked for by its type, or by any',
    'manifests',
    (response, body, { headers, url = '' }) => {
      const isAccepted = url.endsWith(':1') || url.endsWith('/1') || headers.accept?.includes('*/*');
      response.writeHead(isAccepted ? 200 : 406).end(body);
    },
  ],
  [
    'no answer to HEAD',
    'manifests',
    (response, body, { method }) => response.writeHead(method === 'HEAD' ? 405 : 200).end(body),
  ],
  [
    'a broken connection after HEAD',
    'manifests',
    (response, body, { method }) => {
      if (method === 'HEAD') response.destroy();
      else response.end(body);
    },
  ],
  [
    'another digest in answer to HEAD',
    'manifests',
    (response, body, { method }) => {
      if (method === 'HEAD') response.setHeader('Docker-Content-Digest', OTHER);
      response.end(body);
    },
  ],
];

const REFUSED: Case[] = [
  ['a manifest with the digest of another', 'manifests', withHeaders({ 'Docker-Content-Digest': OTHER })],
  ['a compressed manifest', 'manifests', (response, body) => response.end(gzipSync(body))],
  ['a page instead of a manifest', 'manifests', (response) => response.end('<!doctype html>')],
  ['a page instead of a blob', 'blobs', (response) => response.end('<!doctype html>')],
  ['a status of success without content', 'manifests', (response) => response.writeHead(204).end()],
];

let world: World;
let registry: FakeRegistry;

beforeEach(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  world = new World();
  registry = await world.registry();
  registry.add('app:1', IMAGE);
  registry.addIndex('app:1', INDEX);
});

afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
});

function answerBy(kind: 'manifests' | 'blobs', answer: Answer): void {
  registry.intercept = (request, response) => {
    const [, found, name = ''] = /^\/v2\/app\/(manifests|blobs)\/(.*)$/.exec(request.url ?? '') ?? [];
    const body =
      kind === 'blobs'
        ? registry.blobs.get(name)
        : registry.manifests.get(`app${name.includes(':') ? '@' : ':'}${name}`)?.bytes;
    if (found !== kind || !body) return false;
    answer(response, body, request);
    return true;
  };
}

describe.each(['directly', 'through the proxy', 'through a proxy with a cache'])('%s', (way) => {
  async function pulled(): Promise<string> {
    const { host } = registry;
    const cache = { folder: await world.folder(), capacity: 1 << 24 };
    const isDirect = way === 'directly';
    const client = isDirect ? undefined : await world.proxy([host], way.endsWith('cache') ? { cache } : {});
    const reference = parseReference(`${host}/app:1`);
    if (reference.scheme !== 'docker') throw new Error('not of a registry');
    const fetch = client ? proxiedFetch(new URL('registry/', client.url)) : nodeFetch;
    const source = () => new ContentSource(new Registry(reference, { fetch, timing: TIMING }));
    await pull(source(), new VisibleStore());
    return (await pull(source(), new VisibleStore())).digest;
  }

  it.each(ACCEPTED)('%s is accepted', async (_name, kind, answer) => {
    answerBy(kind, answer);
    expect(await pulled()).toBe(IMAGE.digest);
  });

  it.each(REFUSED)('%s is refused', async (_name, kind, answer) => {
    answerBy(kind, answer);
    await expect(pulled()).rejects.toThrow();
  });
});
