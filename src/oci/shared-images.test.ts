/** Real images from the layout in ../shared/images, if it is there, through every kind of source. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodeStore } from '../storage/node.ts';
import type { Store } from '../storage/store.ts';
import type { Image } from './image.ts';
import { nodeSource } from './node-source.ts';
import { parseReference } from './reference.ts';
import type { Credentials } from './registry-auth.ts';
import { browserCodecInNode } from './testing/browser-codec-in-node.ts';
import { createTarReader, find, pull } from './testing/pull.ts';

const IMAGES = join(import.meta.dirname, '../../../shared/images');

interface Entry {
  readonly digest: string;
  readonly mediaType: string;
  readonly annotations: Record<string, string>;
}

const readBlob = (digest: string) => readFileSync(join(IMAGES, 'blobs', digest.replace(':', '/')));
const hasImages = existsSync(join(IMAGES, 'index.json'));
const entries: Entry[] = hasImages
  ? JSON.parse(readFileSync(join(IMAGES, 'index.json'), 'utf8')).manifests
  : [];
const byTag = new Map(
  entries.map(({ digest, annotations }) => [annotations['org.opencontainers.image.ref.name'] ?? '', digest]),
);
/** Images of more than a few MB show nothing new, and take most of the time. */
const LARGE = ['gcc', 'python', 'redis', 'nginx'];
const tags = [...byTag.keys()].filter((tag) => process.env.LONG_TESTS || !LARGE.includes(tag));

/** Finds the riscv64 manifest of a tag in the simplest way. */
function expectedManifest(tag: string): { digest: string; layers: { digest: string; mediaType: string }[] } {
  let digest = byTag.get(tag) ?? '';
  let json = JSON.parse(readBlob(digest).toString());
  if (json.manifests) {
    digest = json.manifests.find(
      ({ platform }: { platform: { architecture: string } }) => platform.architecture === 'riscv64',
    ).digest;
    json = JSON.parse(readBlob(digest).toString());
  }
  return { digest, layers: json.layers };
}

const isInstalled = (command: string) => spawnSync(command, ['--version']).error === undefined;
const hasRegistry = isInstalled('docker-registry');
const hasSkopeo = isInstalled('skopeo');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-shared-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function checkLayers(image: Image, store: Store): Promise<void> {
  for (const diffId of image.layers) {
    const layer = await store.layers.open(diffId);
    const hash = createHash('sha256');
    const part = new Uint8Array(1 << 20);
    for (let at = 0; layer && at < layer.size; at += part.length) {
      const bytes = part.subarray(0, Math.min(part.length, layer.size - at));
      await layer.read(at, bytes);
      hash.update(bytes);
    }
    await layer?.close();
    expect(`sha256:${hash.digest('hex')}`).toBe(diffId);
  }
}

async function pullAndCheck(text: string, tag: string, store: Store, credentials?: Credentials) {
  const source = nodeSource(parseReference(text), { createTarReader, credentials });
  const image = await pull(source, store);
  expect(image.layers).toHaveLength(expectedManifest(tag).layers.length);
  await checkLayers(image, store);
  expect(await find(image.reference, store)).toEqual(image);
  return image;
}

describe.skipIf(!hasImages)('the images in ../shared/images (skipped where they are absent)', () => {
  it.each(tags)(
    '%s comes from the layout',
    async (tag) => {
      const image = await pullAndCheck(`oci://${IMAGES}:${tag}`, tag, nodeStore(join(folder, 'layout')));
      const { digest, layers } = expectedManifest(tag);
      expect(image.digest).toBe(digest);
      layers.forEach(({ digest, mediaType }, i) => {
        if (!mediaType.endsWith('gzip')) return;
        const tar = gunzipSync(readBlob(digest));
        expect(`sha256:${createHash('sha256').update(tar).digest('hex')}`).toBe(image.layers[i]);
      });
    },
    120_000,
  );

  it('comes through the code for browsers', async () => {
    const store = nodeStore(join(folder, 'browser'));
    for (const tag of ['busybox', 'busybox-zstd', 'debian']) {
      const source = nodeSource(parseReference(`oci://${IMAGES}:${tag}`), { createTarReader });
      await checkLayers(await pull(source, store, { codec: browserCodecInNode }), store);
      await store.layers.evict(Number.POSITIVE_INFINITY);
    }
  }, 60_000);

  describe.skipIf(!hasSkopeo)('as archives that skopeo makes', () => {
    const archive = (kind: string, tag: string) => {
      const path = join(folder, `${kind}-${tag}.tar`);
      const name = kind === 'docker-archive' ? `example/${tag}:1` : tag;
      const from = `oci:${IMAGES}:${tag}`;
      const choice = ['--override-arch', 'riscv64', '--insecure-policy'];
      execFileSync('skopeo', ['copy', '-q', ...choice, from, `${kind}:${path}:${name}`]);
      return path;
    };

    it.each(['hello-world', 'busybox', 'edge-whiteout'])(
      '%s',
      async (tag) => {
        for (const kind of ['oci-archive', 'docker-archive']) {
          const store = nodeStore(join(folder, kind));
          const path = archive(kind, tag);
          const plain = await pullAndCheck(`file://${path}`, tag, store);
          execFileSync('gzip', ['-1', path]);
          const packed = nodeStore(join(folder, `${kind}-gz`));
          expect((await pullAndCheck(`file://${path}.gz`, tag, packed)).layers).toEqual(plain.layers);
        }
      },
      120_000,
    );
  });

  describe.skipIf(!hasRegistry)('in a registry of Debian (skipped where docker-registry is absent)', () => {
    let registry: ChildProcess;
    let host: string;
    let front: Server;
    const gate = { token: 'let-me-in', credentials: '' };

    beforeAll(async () => {
      const port = await freePort();
      host = `127.0.0.1:${port}`;
      const config = join(folder, 'registry.yml');
      const storage = `{filesystem: {rootdirectory: ${join(folder, 'registry')}}}`;
      await writeFile(
        config,
        `version: 0.1\nlog: {level: error}\nstorage: ${storage}\nhttp: {addr: "${host}"}\n`,
      );
      registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
      const check = async () => expect((await fetch(`http://${host}/v2/`)).status).toBe(200);
      await vi.waitFor(check, { timeout: 20_000 });
      for (const tag of tags) await push(host, `lab/${tag}`, byTag.get(tag) ?? '');
      front = await startGate(host, gate);
    }, 120_000);

    afterAll(async () => {
      front?.closeAllConnections();
      front?.close();
      if (!registry || registry.exitCode !== null) return;
      registry.kill();
      await new Promise((resolve) => registry.once('exit', resolve));
    });

    it.each(tags)(
      '%s',
      async (tag) => {
        const store = nodeStore(join(folder, 'pulled'));
        const image = await pullAndCheck(`docker://${host}/lab/${tag}:latest`, tag, store);
        expect(image.digest).toBe(expectedManifest(tag).digest);
      },
      120_000,
    );

    it('by digest', async () => {
      const store = nodeStore(join(folder, 'pulled'));
      const { digest } = expectedManifest('debian');
      const image = await pullAndCheck(`${host}/lab/debian@${digest}`, 'debian', store);
      expect(image.digest).toBe(digest);
    });

    it('behind a challenge like that of Docker Hub', async () => {
      const guarded = `127.0.0.1:${(front.address() as AddressInfo).port}`;
      await pullAndCheck(`${guarded}/lab/debian`, 'debian', nodeStore(join(folder, 'token')));
      gate.credentials = 'me:secret';
      const store = nodeStore(join(folder, 'signed-in'));
      const credentials = { username: 'me', password: 'secret' };
      await pullAndCheck(`${guarded}/lab/busybox`, 'busybox', store, credentials);
      await expect(pullAndCheck(`${guarded}/lab/busybox`, 'busybox', store)).rejects.toThrow(
        /does not exist, or/,
      );
    }, 60_000);

    it('says what is not there', async () => {
      const store = nodeStore(join(folder, 'none'));
      await expect(pullAndCheck(`${host}/lab/none`, 'debian', store)).rejects.toThrow(/has no image/);
      await expect(pullAndCheck(`${host}/lab/debian:2`, 'debian', store)).rejects.toThrow(/has no image/);
    });
  });
});

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Copies an image from the layout, with everything that its manifest or index names. */
async function push(host: string, repository: string, digest: string): Promise<void> {
  const putManifest = async (digest: string, reference: string) => {
    const bytes = readBlob(digest);
    const json = JSON.parse(bytes.toString());
    for (const { digest } of json.manifests ?? []) await putManifest(digest, digest);
    for (const { digest } of [json.config, ...(json.layers ?? [])].filter(Boolean))
      await pushBlob(host, repository, digest);
    const response = await fetch(`http://${host}/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'Content-Type': json.mediaType ?? 'application/vnd.oci.image.manifest.v1+json' },
      body: new Uint8Array(bytes),
    });
    expect(response.status).toBe(201);
  };
  await putManifest(digest, 'latest');
}

async function pushBlob(host: string, repository: string, digest: string): Promise<void> {
  const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(start.headers.get('location') ?? '');
  url.searchParams.set('digest', digest);
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(readBlob(digest)) });
  expect(response.status).toBe(201);
}

/** Requires a bearer token for every request. */
async function startGate(host: string, gate: { token: string; credentials: string }): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const { authorization, ...headers } = incoming.headers;
    const url = new URL(incoming.url ?? '', `http://${incoming.headers.host}`);
    if (url.pathname === '/token') {
      const expected = gate.credentials && `Basic ${Buffer.from(gate.credentials).toString('base64')}`;
      const allowed = (authorization ?? '') === expected && url.searchParams.get('scope')?.endsWith(':pull');
      outgoing.writeHead(allowed ? 200 : 401).end(JSON.stringify({ access_token: gate.token }));
    } else if (authorization !== `Bearer ${gate.token}`) {
      const repository = url.pathname.split('/').slice(2, -2).join('/');
      const challenge = `Bearer realm="${url.origin}/token",service="gate",scope="repository:${repository}:pull"`;
      outgoing.writeHead(401, { 'WWW-Authenticate': challenge }).end();
    } else {
      request(`http://${host}${incoming.url}`, { headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      }).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
