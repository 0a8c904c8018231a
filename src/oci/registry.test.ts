import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ImageError } from './errors.ts';
import { parseReference, type RegistryReference } from './reference.ts';
import { Registry, registryUrl } from './registry.ts';
import { type Challenge, type Credentials, parseChallenges } from './registry-auth.ts';
import { ContentSource } from './resolve.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { makeImage, makeIndex, makeLayer, makeTar, sha256, type TestImage } from './testing/image.ts';
import { pull, TIMING, VisibleStore } from './testing/pull.ts';

const image: TestImage = makeImage([
  makeLayer(makeTar([{ path: 'a', contents: new TextEncoder().encode('one') }])),
  makeLayer(makeTar([{ path: 'b', contents: new Uint8Array(70_000) }])),
]);

let registry: FakeRegistry;
let store: VisibleStore;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.add('team/app:1', image);
  store = new VisibleStore();
});

afterEach(() => registry.stop());

function source(name = 'team/app:1', credentials?: Credentials, host = registry.host) {
  const reference = parseReference(`docker://${host}/${name}`) as RegistryReference;
  return new ContentSource(new Registry(reference, { fetch, credentials, timing: TIMING }));
}

const failure = (promise: Promise<unknown>): Promise<ImageError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

describe('a registry', () => {
  it('gives an image by tag and by digest', async () => {
    const byTag = await pull(source(), store);
    expect(byTag).toMatchObject({
      reference: `${registry.host}/team/app:1`,
      digest: image.digest,
      layers: image.diffIds,
    });
    const byDigest = await pull(source(`team/app@${image.digest}`), store);
    expect(byDigest.digest).toBe(image.digest);
    const paths = registry.requests.map(({ path }) => path);
    expect(paths[0]).toBe('/v2/team/app/manifests/1');
    expect(paths.at(-2)).toBe(`/v2/team/app/manifests/${image.digest}`);
    // The layers are there already.
    expect(paths.filter((path) => path.includes('/blobs/'))).toHaveLength(1 + 2 + 1);
  });

  it('checks the digest that it announces for a tag', async () => {
    registry.intercept = (request, response) => {
      if (!request.url?.includes('/manifests/')) return false;
      response.setHeader('Docker-Content-Digest', sha256(new Uint8Array(1)));
      response.end(image.manifest);
      return true;
    };
    const error = await failure(pull(source(), store));
    expect(error.message).toMatch(/manifest is not what its digest says/);
  });

  it('resumes a layer where the connection broke', async () => {
    const big = makeImage([
      makeLayer(makeTar([{ path: 'x', contents: new Uint8Array(randomBytes(1 << 20)) }])),
    ]);
    registry.add('team/big:1', big);
    const digest = sha256(big.layers[0]?.blob ?? new Uint8Array(0));
    let broken = 0;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(digest) || broken++ > 0) return false;
      const blob = registry.blobs.get(digest) ?? new Uint8Array(0);
      response.writeHead(200, { 'Content-Length': blob.length });
      response.write(blob.subarray(0, 400_000), () => setTimeout(() => response.destroy(), 50));
      return true;
    };
    await pull(source('team/big:1'), store);
    const asked = registry.requests.filter(({ path }) => path.endsWith(digest)).map(({ range }) => range);
    expect(asked).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
    // What has arrived may be lost with the connection before it is read.
    const offset = Number.parseInt(asked[1]?.slice('bytes='.length) ?? '', 10);
    expect(offset).toBeGreaterThan(0);
    expect(offset).toBeLessThanOrEqual(400_000);
  });

  it.each([500, 502, 503, 429])('is asked again after %i', async (status) => {
    let failures = 0;
    registry.intercept = (_, response) => {
      if (failures++ >= 2) return false;
      response.writeHead(status).end();
      return true;
    };
    expect((await pull(source(), store)).digest).toBe(image.digest);
  });

  it.each([
    [404, '', 'not-found', /has no image .*team\/app:1: check its name and tag/],
    [500, 'oops', 'network', /answered 500 when asked for .*team\/app:1 \(oops\)$/],
    [503, '{"errors":[{"message":"in maintenance"}]}', 'network', /503.*\(in maintenance\)/],
    [403, '{"errors":[{"message":"not for you"}]}', 'denied', /does not exist, or .* \(not for you\)/],
    [401, '', 'denied', /does not exist, or .* wants \(other\) credentials for it$/],
    [400, '', 'network', /answered 400/],
    [200, '{"schemaVersion":1}', 'invalid', /old format "schema 1"/],
    [200, '[]', 'invalid', /manifest is not a JSON object/],
    [200, '{', 'invalid', /manifest is not valid JSON/],
    [200, '\xff\xfe', 'invalid', /manifest is not valid JSON/],
    [200, '{"schemaVersion":2}', 'invalid', /neither an image nor an index/],
  ])('that answers %i %j is reported', async (status, body, kind, message) => {
    registry.intercept = (_, response) => {
      response.writeHead(status, { 'Content-Type': 'text/plain' }).end(Buffer.from(body, 'latin1'));
      return true;
    };
    const error = await failure(pull(source(), store));
    expect(error.message).toMatch(message);
    expect(error.kind).toBe(kind);
  });

  it('that limits requests is explained', async () => {
    registry.intercept = (_, response) => {
      response.writeHead(429, { 'Retry-After': '7200', 'RateLimit-Limit': '100;w=21600' }).end('{}');
      return true;
    };
    const error = await failure(pull(source(), store));
    expect(error.kind).toBe('rate-limit');
    expect(error.message).toMatch(/too many requests: 127\.0\.0\.1:\d+ limits/);
    expect(error.message).toMatch(/\(here 100 in 6 h\)\. Try again in 2 h, or with a user name and password/);
    expect(registry.requests).toHaveLength(1);
  });

  it('that lacks a layer is reported', async () => {
    registry.blobs.delete(sha256(image.layers[1]?.blob ?? new Uint8Array(0)));
    const error = await failure(pull(source(), store));
    expect(error.message).toMatch(/^layer sha256:\w{12}: .* lacks a part of .*team\/app:1$/);
    expect(await store.snapshot()).toEqual({});
  });
});

describe('signing in', () => {
  it('gets one token for all requests, and another when it has expired', async () => {
    registry.auth = { token: 'first' };
    let served = 0;
    registry.intercept = (request) => {
      if (request.url?.includes('/blobs/') && served++ === 1 && registry.auth) registry.auth.token = 'second';
      return false;
    };
    await pull(source(), store);
    const tokens = registry.requests.filter(({ path }) => path.startsWith('/token'));
    expect(tokens).toHaveLength(2);
    expect(tokens[0]).toMatchObject({
      path: '/token?service=fake&scope=repository%3Ateam%2Fapp%3Apull',
      authorization: undefined,
    });
  });

  it('uses the credentials of the user', async () => {
    registry.auth = { token: 't', credentials: 'me:pässword' };
    await pull(source('team/app:1', { username: 'me', password: 'pässword' }), store);
    const wrong = await failure(
      pull(source('team/app:1', { username: 'me', password: 'no' }), new VisibleStore()),
    );
    expect(wrong).toMatchObject({ kind: 'denied' });
    expect(wrong.message).toMatch(/does not accept this user name and password/);
    const none = await failure(pull(source(), new VisibleStore()));
    expect(none).toMatchObject({ kind: 'denied' });
    expect(none.message).toMatch(/does not exist, or .* \(authentication required\)/);
  });

  it('works with Basic authentication', async () => {
    const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    registry.intercept = (request, response) => {
      if (request.headers.authorization === expected) return false;
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    await pull(source('team/app:1', { username: 'me', password: 'secret' }), store);
    const wrong = await failure(pull(source('team/app:1', { username: 'me', password: 'x' }), store));
    expect(wrong.message).toMatch(/does not exist, or .* wants \(other\) credentials/);
    expect((await failure(pull(source(), store))).message).toMatch(/does not exist, or/);
  });

  it('with a password of any length ends with a clear error', async () => {
    registry.intercept = (_, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    const credentials = { username: 'me', password: 'x'.repeat(1 << 20) };
    expect(await failure(pull(source('team/app:1', credentials), store))).toBeInstanceOf(ImageError);
  });

  it('is not repeated forever', async () => {
    registry.auth = { token: 'right' };
    registry.intercept = (request, response) => {
      if (!request.url?.startsWith('/token')) return false;
      response.end('{"token":"wrong"}');
      return true;
    };
    const error = await failure(pull(source(), store));
    expect(error.kind).toBe('denied');
    expect(registry.requests).toHaveLength(3);
  });

  it.each([
    ['{}', /gave no token/],
    ['{"token":"a\\r\\nX-Evil: 1"}', /gave no token/],
    ['nonsense', /token is not valid JSON/],
    [`{"token":"${'x'.repeat(2 << 20)}"}`, /token is larger/],
  ])('refuses a bad token', async (body, message) => {
    registry.auth = { token: 'right' };
    registry.intercept = (request, response) => {
      if (!request.url?.startsWith('/token')) return false;
      response.end(body);
      return true;
    };
    expect((await failure(pull(source(), store))).message).toMatch(message);
  });

  it('never gives credentials to a host that the registry redirects to', async () => {
    const thief = await FakeRegistry.start();
    try {
      thief.intercept = (_, response) => {
        const realm = `http://${thief.host}/steal`;
        response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm}"` }).end();
        return true;
      };
      registry.auth = { token: 't', credentials: 'me:secret' };
      registry.intercept = (request, response) => {
        if (!request.url?.includes('/blobs/') || !request.headers.authorization) return false;
        response.writeHead(307, { Location: `http://${thief.host}/blob` }).end();
        return true;
      };
      const credentials = { username: 'me', password: 'secret' };
      const error = await failure(pull(source('team/app:1', credentials), store));
      expect(error.kind).toBe('denied');
      expect(thief.requests).toHaveLength(1);
      expect(thief.requests[0]).toMatchObject({ path: '/blob', authorization: undefined });
    } finally {
      await thief.stop();
    }
  });

  it.each([
    ['http://auth.example/token', /without https/],
    ['https://169.254.169.254/token', /not on the internet/],
    ['https://localhost/token', /not on the internet/],
    ['nonsense', /does not say where/],
  ])('at %s is refused to a registry of the internet', async (realm, message) => {
    const sent: string[] = [];
    const challenge = { 'WWW-Authenticate': `Bearer realm="${realm}"` };
    const fetch = async (url: string) => {
      sent.push(url);
      return new Response(null, { status: 401, headers: challenge });
    };
    const reference = parseReference('registry.example/app') as RegistryReference;
    const credentials = { username: 'me', password: 'secret' };
    const content = new Registry(reference, { fetch, credentials, timing: TIMING });
    expect((await failure(pull(new ContentSource(content), store))).message).toMatch(message);
    expect(sent).toEqual(['https://registry.example/v2/app/manifests/latest']);
  });

  it.each<[string, [string, Record<string, string>][]]>([
    ['', []],
    ['Basic realm="x"', [['basic', { realm: 'x' }]]],
    [
      'Bearer realm="https://a/b",service="c d",scope="repository:x/y:pull,push"',
      [['bearer', { realm: 'https://a/b', service: 'c d', scope: 'repository:x/y:pull,push' }]],
    ],
    [
      'Negotiate, BEARER Realm = "a\\"b" , error=invalid_token,  Basic realm=plain',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'a"b', error: 'invalid_token' }],
        ['basic', { realm: 'plain' }],
      ],
    ],
    ['realm="lost"', []],
    ['Bearer realm="unclosed', [['bearer', { realm: '' }]]],
  ])('reads the challenge %j', (header, expected) => {
    const found = parseChallenges(header).map(({ scheme, parameters }: Challenge) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
    expect(found).toEqual(expected);
  });
});

it('finds registries', () => {
  expect(registryUrl('docker.io').href).toBe('https://registry-1.docker.io/');
  expect(registryUrl('ghcr.io').href).toBe('https://ghcr.io/');
  expect(registryUrl('localhost:5000').href).toBe('http://localhost:5000/');
  expect(registryUrl('127.0.0.1:5000').href).toBe('http://127.0.0.1:5000/');
  expect(registryUrl('10.0.0.1:5000').href).toBe('https://10.0.0.1:5000/');
});

describe('an image without riscv64', () => {
  const s390x = { os: 'linux', architecture: 's390x' };
  const riscv64 = { os: 'linux', architecture: 'riscv64' };
  const both = makeIndex([
    { image, platform: s390x },
    { image, platform: riscv64 },
  ]);
  const other = makeIndex([{ image, platform: s390x }]);
  const paths = () => registry.requests.map(({ path }) => path);

  it('is answered with the nearest tag that has it', async () => {
    registry.addIndex('team/app:3.12-bookworm', other);
    for (const tag of ['3.12-trixie', '3.13-trixie', 'trixie']) registry.addIndex(`team/app:${tag}`, both);
    const error = await failure(pull(source('team/app:3.12-bookworm'), store));
    const nearest = `${registry.host}/team/app:3.12-trixie`;
    expect(error).toMatchObject({ kind: 'platform', choices: [nearest] });
    expect(error.message).toBe(
      `${registry.host}/team/app:3.12-bookworm has no image for linux/riscv64, linux/arm64 or linux/amd64; it offers linux/s390x: ${nearest} has one`,
    );
  });

  it('is answered with a tag of riscv64 alone', async () => {
    registry.addIndex('team/app:3', other);
    const error = await failure(pull(source('team/app:3'), store));
    expect(error.choices).toEqual([`${registry.host}/team/app:1`]);
  });

  it('is answered with the tags that were looked at, few of very many', async () => {
    registry.manifests.clear();
    for (let i = 0; i < 2500; i++) registry.addIndex(`team/app:t${i}`, other);
    const error = await failure(pull(source('team/app:t7'), store));
    expect(error.choices).toEqual([]);
    expect(error.message).toMatch(/; nor have the similar tags (t\d+, ){4}t\d+$/);
    expect(paths().filter((path) => path.includes('/tags/list'))).toHaveLength(3);
    expect(paths().filter((path) => path.includes('/manifests/'))).toHaveLength(1 + 5);
  });

  it.each<[string, (path: string) => string | number | undefined]>([
    ['no list of tags', (path) => (path.includes('/tags/') ? 404 : undefined)],
    ['a list that is none', (path) => (path.includes('/tags/') ? '{"tags": {"a": 1}}' : undefined)],
    [
      'a list that never ends',
      (path) =>
        path.includes('/tags/')
          ? JSON.stringify({ tags: Array.from({ length: 1000 }, (_, i) => `x${i}`) })
          : undefined,
    ],
    [
      'hostile tags',
      (path) => (path.includes('/tags/') ? '{"tags": ["../../a", "b c", "", "\\u0000"]}' : undefined),
    ],
    ['manifests that are gone', (path) => (path.endsWith('/manifests/2') ? 404 : undefined)],
  ])('is answered without a tag if there is %s', async (_name, answer) => {
    registry.manifests.clear();
    registry.addIndex('team/app:3', other);
    registry.addIndex('team/app:2', both);
    registry.intercept = ({ url = '' }, response) => {
      const found = answer(url);
      if (found === undefined) return false;
      response.writeHead(typeof found === 'number' ? found : 200).end(typeof found === 'string' ? found : '');
      return true;
    };
    const error = await failure(pull(source('team/app:3'), store));
    expect(error).toMatchObject({ kind: 'platform', choices: [] });
    expect(paths().length).toBeLessThan(20);
  });

  it('may be named by its digest', async () => {
    registry.addIndex('team/app:3', other);
    registry.addIndex('team/app:trixie', both);
    const error = await failure(pull(source(`team/app@${sha256(other)}`), store));
    expect(error.choices).toEqual([`${registry.host}/team/app:trixie`]);
  });
});

it('names all platforms and the size of an image', async () => {
  const s390x = { os: 'linux', architecture: 's390x' };
  const index = makeIndex([
    { image, platform: { os: 'linux', architecture: 'riscv64' } },
    { image, platform: s390x },
    { image, platform: { os: 'unknown', architecture: 'unknown' } },
  ]);
  registry.addIndex('team/app:3', index);
  const { platforms, layers } = await source('team/app:3').resolve({ signal: new AbortController().signal });
  expect(platforms).toEqual(['linux/riscv64', 'linux/s390x']);
  expect(layers.map(({ size }) => size)).toEqual(image.layers.map(({ blob }) => blob.length));
});
