import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ImageError } from './errors.ts';
import type { Fetch } from './http.ts';
import { nodeFetch } from './node-fetch.ts';
import { nodeSource } from './node-source.ts';
import type { PullEvent } from './pull.ts';
import { parseReference } from './reference.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { layoutFiles, makeImage, makeIndex, makeLayer, makeTar, type TestImage } from './testing/image.ts';
import { createTarReader, find, pull, TIMING, VisibleStore } from './testing/pull.ts';

const imageOf = (text: string) =>
  makeImage([makeLayer(makeTar([{ path: 'a', contents: new TextEncoder().encode(text) }]))]);
const [published, builtIn] = [imageOf('of the registry'), imageOf('of the package')];
const REF_NAME = 'org.opencontainers.image.ref.name';
/** A port on which nothing listens. */
const NOWHERE = 'http://127.0.0.1:1';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-built-in-'));
  const index = makeIndex(
    ['busybox', 'hello-world'].map((name) => ({ image: builtIn, annotations: { [REF_NAME]: name } })),
  );
  for (const { path, contents = new Uint8Array() } of layoutFiles([builtIn], index)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
});
afterAll(() => rm(folder, { recursive: true }));

let registry: FakeRegistry;
let store: VisibleStore;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  store = new VisibleStore();
});
afterEach(() => registry.stop());

interface Options {
  readonly mirror?: string;
  readonly fetch?: Fetch;
}

function open(name: string, { mirror, fetch }: Options = {}) {
  const credentials = { username: 'user', password: 'secret' };
  const options = { createTarReader, credentials, timing: TIMING, mirror, fetch, builtIn: folder };
  return nodeSource(parseReference(name), options);
}

/** A `fetch` for which Docker Hub is the registry of the test, or is away. */
const hub = (origin: string): Fetch =>
  async function fetchFromHub(url, options) {
    expect(new URL(url).host).toBe('registry-1.docker.io');
    return nodeFetch(url.replace('https://registry-1.docker.io', origin), options);
  };
const failure = (promise: Promise<unknown>): Promise<ImageError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

describe('the images that come with LinuxRun', () => {
  const away = { fetch: hub(NOWHERE) };

  it.each([
    'busybox',
    'busybox:latest',
    'hello-world',
    'library/busybox',
    'docker.io/library/busybox',
    'docker.io/hello-world:latest',
    'index.docker.io/library/busybox:latest',
  ])('answer to %s where Docker Hub cannot be reached', async (name) => {
    const events: PullEvent[] = [];
    const { digest, reference } = await pull(open(name, away), store, {
      onEvent: (event) => events.push(event),
    });
    expect(digest).toBe(builtIn.digest);
    expect(reference).toMatch(/^docker\.io\/library\/(busybox|hello-world):latest$/);
    const reason = expect.stringMatching(/^cannot reach registry-1\.docker\.io: .*ECONNREFUSED/);
    expect(events.filter(({ type }) => /built-in|retry/.test(type))).toEqual([{ type: 'built-in', reason }]);
    expect(await find(reference, store)).toBeDefined();
  });

  it.each(['busybox:musl', 'alpine', 'someone/busybox', `busybox@${builtIn.digest}`])(
    'do not answer to %s',
    async (name) => {
      const error = await failure(pull(open(name, away), store));
      expect(error).toMatchObject({ name: 'ImageError', kind: 'network' });
    },
  );

  it('do not answer to another registry', async () => {
    const { kind } = await failure(pull(open('127.0.0.1:1/library/busybox'), store));
    expect(kind).toBe('network');
  });

  it('give way to Docker Hub', async () => {
    registry.add('library/busybox:latest', published);
    const { host } = registry;
    expect((await pull(open('busybox', { fetch: hub(`http://${host}`) }), store)).digest).toBe(
      published.digest,
    );
  });

  it('do not hide that Docker Hub answers no', async () => {
    const { kind } = await failure(pull(open('busybox', { fetch: hub(`http://${registry.host}`) }), store));
    expect(kind).toBe('not-found');
  });

  it('do not wait for a registry that is silent', async () => {
    registry.intercept = () => true;
    const start = performance.now();
    const { digest } = await pull(open('busybox', { fetch: hub(`http://${registry.host}`) }), store);
    expect(digest).toBe(builtIn.digest);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('are no help to a pull that is aborted', async () => {
    const abort = new AbortController();
    registry.intercept = () => {
      abort.abort(new Error('enough'));
      return true;
    };
    const source = open('busybox', { fetch: hub(`http://${registry.host}`) });
    expect((await failure(pull(source, store, { signal: abort.signal }))).message).toBe('enough');
  });
});

describe('a mirror of Docker Hub', () => {
  const add = (name: string, image: TestImage) => registry.add(name, image);

  it('is asked for the images of Docker Hub, without the account there', async () => {
    add('library/alpine:3', published);
    registry.auth = { token: 'everyone' };
    const mirror = `http://${registry.host}`;
    const { reference, digest } = await pull(open('alpine:3', { mirror }), store);
    expect([reference, digest]).toEqual(['docker.io/library/alpine:3', published.digest]);
    const paths = registry.requests.map(({ path }) => path);
    expect(paths).toContain('/v2/library/alpine/manifests/3');
    const sent = registry.requests.map(({ authorization = '' }) => authorization);
    expect(sent.filter((header) => header.startsWith('Basic'))).toEqual([]);
  });

  it('is not asked for the images of others', async () => {
    add('team/app:1', published);
    await pull(open(`${registry.host}/team/app:1`, { mirror: NOWHERE }), store);
  });

  it.each([
    [
      'cannot be reached',
      'alpine',
      NOWHERE,
      'network',
      /^cannot reach 127\.0\.0\.1:1: .*refused.*ECONNREFUSED/,
    ],
    [
      'has no such image',
      'alpine',
      undefined,
      'not-found',
      /has no image docker\.io\/library\/alpine:latest/,
    ],
  ] as const)('is named when it %s', async (_, name, address, kind, why) => {
    const mirror = address ?? `http://${registry.host}`;
    const error = await failure(pull(open(name, { mirror }), store));
    const prefix = `Docker Hub's mirror ${mirror}: `;
    expect(error.message.slice(0, prefix.length)).toBe(prefix);
    expect(error.message.slice(prefix.length)).toMatch(why);
    expect(error.kind).toBe(kind);
  });

  it('is named when it breaks a layer off', async () => {
    add('library/alpine:latest', published);
    registry.intercept = (request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.writeHead(500).end();
      return true;
    };
    const mirror = `http://${registry.host}`;
    const { message } = await failure(pull(open('alpine', { mirror }), store));
    expect(message).toContain(`Docker Hub's mirror ${mirror}: `);
    expect(message).toContain('answered 500');
  });

  it('may leave the images that come with LinuxRun to them, and is named as the reason', async () => {
    const events: PullEvent[] = [];
    const options = { onEvent: (event: PullEvent) => events.push(event) };
    expect((await pull(open('busybox', { mirror: NOWHERE }), store, options)).digest).toBe(builtIn.digest);
    const reason = expect.stringContaining(`Docker Hub's mirror ${NOWHERE}: cannot reach`);
    expect(events).toContainEqual({ type: 'built-in', reason });
  });
});
