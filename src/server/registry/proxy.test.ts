import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeRegistry } from '../../oci/testing/fake-registry.ts';
import { makeImage, makeLayer, makeTar, sha256, type TestImage } from '../../oci/testing/image.ts';
import { type Client, listing, World } from './testing/world.ts';

const NAME = 'team/app';
const BLOB = randomBytes(1 << 20);
const BLOB_DIGEST = sha256(BLOB);
// The machine may be busy.
const PATIENT = { timeout: 20_000 };
const LIMITS = { answer: 1500, stall: 1500 };

let world: World;
let registry: FakeRegistry;
let host: string;
let image: TestImage;
const logged = vi.fn();

beforeEach(async () => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation(logged);
  world = new World();
  registry = await world.registry();
  host = registry.host;
  image = makeImage([makeLayer(makeTar([{ path: 'file', contents: new Uint8Array(1000) }]))]);
  registry.add(`${NAME}:1`, image);
  registry.blobs.set(BLOB_DIGEST, BLOB);
});

afterEach(async () => {
  await world.close();
  vi.restoreAllMocks();
  logged.mockReset();
});

const at = (rest: string, of = host) => `${of}/v2/${NAME}/${rest}`;
const blobAt = (digest: string, of?: string) => at(`blobs/${digest}`, of);

/** Answers every request for a blob. */
function onBlob(
  of: FakeRegistry,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  of.intercept = (request, response) => {
    if (!request.url?.includes('/blobs/')) return false;
    answer(request, response);
    return true;
  };
}

function redirect(of: FakeRegistry, location: string, part = '/'): void {
  of.intercept = (request, response) => {
    if (!request.url?.includes(part)) return false;
    response.writeHead(307, { Location: location }).end();
    return true;
  };
}

/** Returns the error in the middle of a body. */
function breakOff(proxy: Client, path: string): Promise<unknown> {
  return proxy.bytes(path).then(
    () => {
      throw new Error('the whole body came');
    },
    (error) => error,
  );
}

describe('a request', () => {
  it('is answered with the headers that isolated pages need', async () => {
    const proxy = await world.proxy([registry.host]);
    const manifest = await proxy.get(at('manifests/1'));
    expect(Buffer.from(await manifest.arrayBuffer())).toEqual(Buffer.from(image.manifest));
    expect(manifest.headers.get('Content-Type')).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(manifest.headers.get('Docker-Content-Digest')).toBe(image.digest);
    expect(manifest.headers.get('Cache-Control')).toBe('no-store');
    expect(manifest.headers.get('Cross-Origin-Resource-Policy')).toBe('same-origin');
    expect(manifest.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(manifest.headers.get('Access-Control-Allow-Origin')).toBeNull();

    const byDigest = await proxy.get(at(`manifests/${image.digest}`));
    expect(byDigest.headers.get('Cache-Control')).toContain('immutable');
    const blob = await proxy.get(blobAt(BLOB_DIGEST));
    expect(blob.headers.get('Content-Length')).toBe(String(BLOB.length));
    expect(blob.headers.get('Content-Type')).toBe('application/octet-stream');
    expect(Buffer.from(await blob.arrayBuffer()).equals(BLOB)).toBe(true);
  });

  it('may ask for headers only', async () => {
    const proxy = await world.proxy([registry.host]);
    for (const [path, length] of [
      [at('manifests/1'), image.manifest.length],
      [blobAt(BLOB_DIGEST), BLOB.length],
    ] as const) {
      const response = await proxy.get(path, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(response.headers.get('Content-Length')).toBe(String(length));
      expect((await response.arrayBuffer()).byteLength).toBe(0);
    }
  });

  it('may list tags, page by page', async () => {
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith('/tags/list?n=1')) return false;
      const link = `</v2/${NAME}/tags/list?n=1&last=a>; rel="next"`;
      response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', Link: link });
      response.end('{"tags":["a"]}');
      return true;
    };
    const proxy = await world.proxy([registry.host]);
    const response = await proxy.get(at('tags/list?n=1'));
    expect(response.headers.get('Link')).toBe(`</registry/${at('tags/list')}?n=1&last=a>; rel="next"`);
    expect(await response.json()).toEqual({ tags: ['a'] });
  });

  it('may ask for a part of a blob', async () => {
    const proxy = await world.proxy([registry.host]);
    const response = await proxy.get(blobAt(BLOB_DIGEST), { headers: { Range: 'bytes=1000000-' } });
    expect(response.status).toBe(206);
    expect(response.headers.get('Content-Range')).toBe(`bytes 1000000-${BLOB.length - 1}/${BLOB.length}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(BLOB.subarray(1_000_000))).toBe(true);
    expect(registry.requests.at(-1)?.range).toBe('bytes=1000000-');
    await proxy.bytes(blobAt(BLOB_DIGEST), { headers: { Range: 'lines=1-2' } });
    expect(registry.requests.at(-1)?.range).toBeUndefined();
  });

  it('is streamed no faster than the client reads', async () => {
    let sent = 0;
    let closed = false;
    onBlob(registry, (_, response) => {
      response.writeHead(200, { 'Content-Length': 1 << 30 });
      response.on('close', () => {
        closed = true;
      });
      const send = () => {
        while (!closed && response.write(Buffer.alloc(1 << 20))) sent += 1 << 20;
        response.once('drain', send);
      };
      send();
    });
    const proxy = await world.proxy([registry.host]);
    const response = await proxy.get(blobAt(BLOB_DIGEST));
    const reader = response.body?.getReader();
    await reader?.read();
    // The buffers of sockets take less than this. No bytes must follow them.
    await vi.waitFor(async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(sent).toBe(before);
    }, PATIENT);
    expect(sent).toBeLessThan(64 << 20);
    await reader?.cancel();
    await vi.waitFor(() => expect(closed).toBe(true), PATIENT);
  });
});

describe('refused are', () => {
  it('registries that are not listed, before anything is sent', async () => {
    const other = await world.registry();
    const proxy = await world.proxy([registry.host]);
    const { status, code, message } = await proxy.failure(at('manifests/1', other.host));
    expect([status, code]).toEqual([403, 'NOT_ALLOWED']);
    expect(message).toMatch(new RegExp(`start it with LINUXRUN_REGISTRIES=default,${other.host}$`));
    expect(other.requests).toEqual([]);
  });

  it('this machine, even if it is listed, unless the options allow it', async () => {
    const proxy = await world.proxy([registry.host], { loopback: [] });
    expect((await proxy.failure(at('manifests/1'))).code).toBe('NOT_ALLOWED');
    const { port } = registry;
    const named = await world.proxy([`registry.localhost:${port}`], { loopback: [] });
    const { code } = await named.failure(at('manifests/1', `registry.localhost:${port}`));
    expect(code).toBe('NOT_ALLOWED');
    expect(registry.requests).toEqual([]);
  });

  it('methods that change something', async () => {
    const proxy = await world.proxy([registry.host]);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status, headers } = await proxy.failure(at('manifests/1'), { method });
      expect([status, headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
    }
    expect(registry.requests).toEqual([]);
  });

  it('pages of another origin', async () => {
    const proxy = await world.proxy([registry.host]);
    const ask = (site: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = new URL(`registry/${at('manifests/1')}`, proxy.url);
        const request = httpRequest(url, { headers: { 'Sec-Fetch-Site': site } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject).end();
      });
    for (const site of ['cross-site', 'same-site']) expect(await ask(site)).toBe(403);
    expect(registry.requests).toEqual([]);
    expect(await ask('same-origin')).toBe(200);
  });

  it('too many requests at the same time', async () => {
    onBlob(registry, () => {});
    const limits = { ...LIMITS, concurrentPerClient: 2, burst: 5, rate: 0.01 };
    const proxy = await world.proxy([registry.host], { limits });
    const slow = [1, 2].map(() => proxy.failure(blobAt(BLOB_DIGEST)));
    await vi.waitFor(() => expect(registry.requests).toHaveLength(2), PATIENT);
    const { status, code, headers } = await proxy.failure(at('manifests/1'));
    expect([status, code, headers.get('Retry-After')]).toEqual([429, 'TOOMANYREQUESTS', '1']);
    for (const failed of await Promise.all(slow)) expect(failed.status).toBe(504);
    await proxy.bytes(at('manifests/1'));
    for (let count = 0; count < 2; count++) await proxy.bytes(at('manifests/1'));
    expect(Number((await proxy.failure(at('manifests/1'))).headers.get('Retry-After'))).toBeGreaterThan(1);
  });

  it('clients by the address that a trusted proxy names', async () => {
    const limits = { burst: 1, rate: 0.01 };
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    const trusting = await world.proxy([registry.host], { limits, trustProxy: true });
    await trusting.bytes(at('manifests/1'), from('forged, 192.0.2.1'));
    expect((await trusting.failure(at('manifests/1'), from('other, 192.0.2.1'))).status).toBe(429);
    await trusting.bytes(at('manifests/1'), from('192.0.2.2'));
    const wary = await world.proxy([registry.host], { limits });
    await wary.bytes(at('manifests/1'), from('192.0.2.1'));
    expect((await wary.failure(at('manifests/1'), from('192.0.2.2'))).status).toBe(429);
  });
});

describe('addresses', () => {
  const resolveTo =
    (...addresses: string[]) =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  it.each([
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['100.64.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['fd00::1'],
    ['224.0.0.1'],
    ['93.184.216.34', '192.168.0.1'],
  ])('that names lead to must all be public: %s', async (...addresses) => {
    const proxy = await world.proxy(['registry.example'], { loopback: [], resolve: resolveTo(...addresses) });
    const { code, message } = await proxy.failure(at('manifests/1', 'registry.example'));
    expect(code).toBe('NOT_ALLOWED');
    expect(message).toContain('not on the public internet');
  });

  it('are resolved once, and only checked addresses are connected to', async () => {
    const { port } = registry;
    const host = `hub.localhost:${port}`;
    const answers = ['127.0.0.1', '169.254.169.254', '10.0.0.1'];
    const resolve = vi.fn(async () => [{ address: answers.shift() ?? '', family: 4 }]);
    onBlob(registry, (_, response) => response.writeHead(200, { Connection: 'close' }).end(BLOB));
    const proxy = await world.proxy([host], { resolve });
    expect((await proxy.bytes(blobAt(BLOB_DIGEST, host))).equals(BLOB)).toBe(true);
    expect(resolve).toHaveBeenCalledTimes(1);
    const { message } = await proxy.failure(blobAt(BLOB_DIGEST, host));
    expect(message).toContain('not on the public internet');
    expect(resolve).toHaveBeenCalledTimes(2);
    expect(registry.requests).toHaveLength(1);
  });

  it('that are not found are reported', async () => {
    const resolve = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    };
    const proxy = await world.proxy(['registry.example'], { loopback: [], resolve });
    const { status, message } = await proxy.failure(at('manifests/1', 'registry.example'));
    expect(status).toBe(502);
    expect(message).toContain('check the name of the registry');
  });

  it.each(['[::1]', '[::ffff:7f00:1]', '2130706433', '0x7f.1', '10.0.0.1', '169.254.169.254'])(
    'may be written as %s',
    async (host) => {
      const { host: normal } = new URL(`https://${host}`);
      const proxy = await world.proxy([normal], { loopback: [] });
      const { status } = await proxy.failure(at('manifests/1', host));
      expect([400, 403]).toContain(status);
    },
  );
});

describe('redirects', () => {
  it('lead to the delivery network of blobs', async () => {
    const cdn = await world.registry();
    onBlob(cdn, (_, response) => response.end(BLOB));
    redirect(registry, `http://${cdn.host}/blobs/x?signature=secret`, '/blobs/');
    const proxy = await world.proxy([registry.host], { loopback: [registry.host, cdn.host] });
    const range = { headers: { Range: 'bytes=5-' } };
    expect((await proxy.bytes(blobAt(BLOB_DIGEST), range)).equals(BLOB)).toBe(true);
    expect(cdn.requests[0]?.range).toBe('bytes=5-');
  });

  it('lead manifests to listed registries only', async () => {
    const other = await world.registry();
    other.add(`${NAME}:1`, image);
    redirect(registry, `http://${other.host}/v2/${NAME}/manifests/1`);
    const wary = await world.proxy([registry.host], { loopback: [registry.host, other.host] });
    const { code, message } = await wary.failure(at('manifests/1'));
    expect(code).toBe('NOT_ALLOWED');
    expect(message).toContain(`LINUXRUN_REGISTRIES=default,${other.host}`);
    expect(other.requests).toEqual([]);
    const proxy = await world.proxy([registry.host, other.host]);
    expect((await proxy.bytes(at('manifests/1'))).equals(image.manifest)).toBe(true);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://169.254.169.254/latest/meta-data/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://10.0.0.1/',
    'https://localhost/',
    'http://cdn.example/',
    'https://cdn.example:8443/',
    'https://user:password@cdn.example/',
    'ftp://cdn.example/',
    'file:///etc/passwd',
    'https://',
    '//127.0.0.1/',
  ])('do not lead to %s', async (location) => {
    redirect(registry, location, '/blobs/');
    const resolve = async (hostname: string) => [
      { address: hostname === 'cdn.example' ? '93.184.216.34' : '127.0.0.1', family: 4 },
    ];
    const proxy = await world.proxy([registry.host], { resolve });
    const { status, code, message } = await proxy.failure(blobAt(BLOB_DIGEST));
    const isFailure = /no valid address|cannot reach/.test(message);
    expect([status, code]).toEqual(isFailure ? [502, 'UNAVAILABLE'] : [403, 'NOT_ALLOWED']);
    if (!isFailure) expect(message).toMatch(/does not follow|not on the public internet|over https only/);
    expect(message).not.toContain('password');
  });

  it('do not lead to another port of this machine', async () => {
    const victim = await world.registry();
    redirect(registry, `http://${victim.host}/blobs/x`, '/blobs/');
    const proxy = await world.proxy([registry.host]);
    expect((await proxy.failure(blobAt(BLOB_DIGEST))).code).toBe('NOT_ALLOWED');
    expect(victim.requests).toEqual([]);
  });

  it('end', async () => {
    redirect(registry, '/blobs/again');
    const proxy = await world.proxy([registry.host]);
    expect((await proxy.failure(blobAt(BLOB_DIGEST))).message).toContain('redirects too often');
    expect(registry.requests.length).toBeLessThan(10);
  });
});

describe('signing in', () => {
  const PASSWORD = 'open sesame';
  const USER = `user:${PASSWORD}`;
  const basic = `Basic ${Buffer.from(USER).toString('base64')}`;
  const asUser = { headers: { 'Registry-Authorization': basic } };

  it('fetches an anonymous token, once', async () => {
    registry.auth = { token: 'anonymous-token' };
    const proxy = await world.proxy([registry.host]);
    await proxy.bytes(at('manifests/1'));
    await proxy.bytes(blobAt(BLOB_DIGEST));
    const tokens = registry.requests.filter(({ path }) => path.startsWith('/token'));
    expect(tokens).toHaveLength(1);
    expect(tokens[0]?.path).toContain(`scope=${encodeURIComponent(`repository:${NAME}:pull`)}`);
  });

  it('fetches another token when one is refused', async () => {
    registry.auth = { token: 'first' };
    const proxy = await world.proxy([registry.host]);
    await proxy.bytes(blobAt(BLOB_DIGEST));
    registry.auth = { token: 'second' };
    await proxy.bytes(blobAt(BLOB_DIGEST));
  });

  it('takes the user’s password from its own header only', async () => {
    registry.auth = { token: 'private-token', credentials: USER };
    const proxy = await world.proxy([registry.host]);
    const { status, code, headers } = await proxy.failure(at('manifests/1'));
    expect([status, code]).toEqual([401, 'UNAUTHORIZED']);
    expect(headers.get('WWW-Authenticate')).toBe(`Basic realm="${registry.host}"`);
    expect((await proxy.failure(at('manifests/1'), { headers: { Authorization: basic } })).status).toBe(401);
    expect(registry.requests.every(({ authorization }) => authorization === undefined)).toBe(true);

    expect((await proxy.bytes(at('manifests/1'), asUser)).equals(image.manifest)).toBe(true);
    const wrong = { headers: { 'Registry-Authorization': `Basic ${btoa('user:other')}` } };
    expect((await proxy.failure(at('manifests/1'), wrong)).message).toContain('does not accept');
    // Others get nothing that the password opened.
    expect((await proxy.failure(at('manifests/1'))).status).toBe(401);
  });

  it('passes Basic and Bearer credentials to registries that accept them directly', async () => {
    let wanted = basic;
    registry.intercept = (request, response) => {
      if (request.headers.authorization === wanted) return false;
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end();
      return true;
    };
    const proxy = await world.proxy([registry.host]);
    expect((await proxy.failure(blobAt(BLOB_DIGEST))).status).toBe(401);
    await proxy.bytes(blobAt(BLOB_DIGEST), asUser);
    wanted = 'Bearer mine';
    await proxy.bytes(blobAt(BLOB_DIGEST), { headers: { 'Registry-Authorization': wanted } });
    for (const header of ['Digest x', 'Basic', 'Basic a b', 'x'])
      expect(
        (await proxy.failure(blobAt(BLOB_DIGEST), { headers: { 'Registry-Authorization': header } })).status,
      ).toBe(400);
  });

  it('sends a password to no other host, neither token service nor redirect', async () => {
    const other = await world.registry();
    const challenge = `Bearer realm="http://${other.host}/token",service="x"`;
    registry.intercept = (request, response) => {
      if (request.headers.authorization?.startsWith('Bearer')) return false;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
      return true;
    };
    other.auth = { token: 'given' };
    const loopback = [registry.host, other.host];
    const proxy = await world.proxy([registry.host], { loopback });
    const { status, message } = await proxy.failure(at('manifests/1'), asUser);
    expect(status).toBe(403);
    expect(message).toContain(`${registry.host}=${other.host}`);
    expect(other.requests).toEqual([]);

    await proxy.bytes(at('manifests/1'));
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);

    other.auth = { token: 'given', credentials: USER };
    const told = await world.proxy([`${registry.host}=${other.host}`], { loopback });
    await told.bytes(at('manifests/1'), asUser);
    expect(other.requests.at(-1)?.authorization).toBe(basic);
  });

  it('sends neither passwords nor tokens to the target of a redirect', async () => {
    const cdn = await world.registry();
    registry.auth = { token: 'private-token', credentials: USER };
    registry.intercept = (request, response) => {
      if (!request.url?.includes('/blobs/') || !request.headers.authorization) return false;
      response.writeHead(307, { Location: `http://${cdn.host}${request.url}` }).end();
      return true;
    };
    let challenged = 0;
    cdn.intercept = (_, response) => {
      challenged++;
      const challenges = `Basic realm="x", Bearer realm="http://${cdn.host}/token"`;
      response.writeHead(401, { 'WWW-Authenticate': challenges }).end();
      return true;
    };
    for (const hosts of [[registry.host], [registry.host, cdn.host]]) {
      const proxy = await world.proxy(hosts, { loopback: [registry.host, cdn.host] });
      expect((await proxy.failure(blobAt(BLOB_DIGEST), asUser)).status).toBeGreaterThanOrEqual(400);
      // A delivery network has no say in where tokens come from.
      const tokens = cdn.requests.filter(({ path }) => path.startsWith('/token'));
      expect(tokens).toHaveLength(hosts.length - 1);
    }
    expect(challenged).toBeGreaterThan(0);
    expect(cdn.requests.map(({ authorization }) => authorization).filter(Boolean)).toEqual([]);
  });

  it.each([
    ['http://169.254.169.254/token', 'NOT_ALLOWED'],
    ['https://127.0.0.1/token', 'UNAVAILABLE'],
    ['https://localhost/token', 'NOT_ALLOWED'],
    ['token', 'UNAVAILABLE'],
    ['', 'UNAVAILABLE'],
  ])('does not sign in at "%s"', async (realm, code) => {
    const challenge = { 'WWW-Authenticate': `Bearer realm="${realm}"` };
    registry.intercept = (_, response) => {
      response.writeHead(401, challenge).end();
      return true;
    };
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const proxy = await world.proxy([registry.host], { resolve });
    expect((await proxy.failure(at('manifests/1'))).code).toBe(code);
  });

  it('refuses invalid tokens', async () => {
    const answers = [
      '',
      '[]',
      '{}',
      '{"token":5}',
      '{"token":"a\\r\\nb"}',
      `{"token":"${'x'.repeat(2 << 20)}"}`,
    ];
    const proxy = await world.proxy([registry.host]);
    registry.auth = { token: 'unknown' };
    for (const answer of answers) {
      registry.intercept = (request, response) => {
        if (!request.url?.startsWith('/token')) return false;
        response.end(answer);
        return true;
      };
      expect((await proxy.failure(at('manifests/1'))).message).toContain('gave no token');
    }
  });

  it('writes nothing secret into logs or messages', async () => {
    registry.auth = { token: 'private-token', credentials: USER };
    const proxy = await world.proxy([registry.host], { limits: LIMITS });
    const messages: string[] = [];
    const fail = async () => messages.push((await proxy.failure(blobAt(BLOB_DIGEST), asUser)).message);
    registry.auth = { token: 'private-token', credentials: 'other:one' };
    await fail();
    registry.auth = { token: 'private-token', credentials: USER };
    onBlob(registry, (request, response) => {
      if (request.headers.authorization) response.destroy();
      else
        response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
    });
    await fail();
    registry.intercept = undefined;
    registry.blobs.set(BLOB_DIGEST, Buffer.from('wrong'));
    await breakOffAs(proxy);
    redirect(registry, 'https://127.0.0.1/?signature=private-token', '/blobs/');
    await fail();
    const text = JSON.stringify([
      messages,
      logged.mock.calls.map((call) => call.map((item) => inspect(item))),
    ]);
    for (const secret of ['private-token', PASSWORD, basic.slice(6), 'signature'])
      expect(text).not.toContain(secret);
  });

  const breakOffAs = (proxy: Client) => proxy.bytes(blobAt(BLOB_DIGEST), asUser).catch(() => {});
});

describe('a failure upstream', () => {
  it('is passed on as the specification says, with advice', async () => {
    const proxy = await world.proxy([registry.host]);
    const missing = await proxy.failure(at('manifests/2'));
    expect([missing.status, missing.code]).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(missing.message).toContain('check name and tag (manifest unknown)');
    expect(await proxy.failure(blobAt(sha256(Buffer.from('x'))))).toMatchObject({
      status: 404,
      code: 'BLOB_UNKNOWN',
    });
    const answer = { status: 0, headers: {} as Record<string, string> };
    registry.intercept = (_, response) => {
      response
        .writeHead(answer.status, answer.headers)
        .end('{"errors":[{"message":"for\\u0007maintenance"}]}');
      return true;
    };
    Object.assign(answer, { status: 503, headers: { 'Retry-After': '7' } });
    const down = await proxy.failure(at('manifests/1'));
    expect([down.status, down.headers.get('Retry-After')]).toEqual([502, '7']);
    expect(down.message).toContain('answered 503');
    expect(down.message).toContain('(for maintenance)');
    Object.assign(answer, { status: 403, headers: {} });
    expect(await proxy.failure(at('manifests/1'))).toMatchObject({ status: 403, code: 'DENIED' });
    Object.assign(answer, { status: 204, headers: {} });
    expect((await proxy.failure(at('manifests/1'))).status).toBe(502);
  });

  it('may be a limit, whose waiting time is passed on', async () => {
    const proxy = await world.proxy([registry.host]);
    registry.intercept = (_, response) => {
      response.writeHead(429, { 'Retry-After': '1234', 'RateLimit-Limit': '100;w=21600' }).end();
      return true;
    };
    for (const path of [at('manifests/1'), at(`manifests/${image.digest}`), blobAt(BLOB_DIGEST)]) {
      const { status, code, headers, message } = await proxy.failure(path);
      expect([status, code]).toEqual([429, 'TOOMANYREQUESTS']);
      expect(headers.get('Retry-After')).toBe('1234');
      expect(headers.get('RateLimit-Limit')).toBe('100;w=21600');
      expect(message).toContain('Try again later, or');
    }
  });

  it('may be a registry that is down, silent or stalls', async () => {
    const proxy = await world.proxy([registry.host], { limits: LIMITS });
    registry.intercept = ({ url }, response) => {
      if (url?.endsWith('/tags/list'))
        response.writeHead(200, { 'Content-Type': 'application/json' }).write('{');
      return true;
    };
    const places = [at('manifests/1'), blobAt(BLOB_DIGEST), at('tags/list')];
    const failures = await Promise.all(places.map((place) => proxy.failure(place)));
    expect(failures.map(({ status }) => status)).toEqual([504, 504, 504]);
    onBlob(registry, (_, response) => {
      response.writeHead(200, { 'Content-Length': BLOB.length });
      response.write(BLOB.subarray(0, 1000));
    });
    expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(TypeError);
    onBlob(registry, (_, response) => {
      response.writeHead(200, { 'Content-Length': BLOB.length });
      response.write(BLOB.subarray(0, 1000), () => response.destroy());
    });
    expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(TypeError);
    await registry.stop();
    expect((await proxy.failure(at('manifests/1'))).message).toContain('ECONNREFUSED');
  });

  it('may be a client that stops reading, which keeps no place', async () => {
    const limits = { ...LIMITS, concurrentPerClient: 1 };
    const proxy = await world.proxy([registry.host], { limits });
    const big = Buffer.alloc(64 << 20);
    registry.blobs.set(sha256(big), big);
    const response = await proxy.get(blobAt(sha256(big)));
    await vi.waitFor(async () => expect((await proxy.get(at('manifests/1'))).status).toBe(200), PATIENT);
    // The connection is closed even though the client does not read.
    expect(inspect(logged.mock.calls)).toContain('you have stopped reading');
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it.each([
    ['announces', { 'Content-Length': String(100 << 20) }],
    ['sends', {}],
  ])('may be a registry that %s a huge manifest', async (_, headers) => {
    registry.intercept = (request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', ...headers });
      if (request.method === 'HEAD') response.end();
      else response.end(Buffer.alloc(5 << 20, ' '));
      return true;
    };
    const proxy = await world.proxy([registry.host]);
    expect((await proxy.failure(at('manifests/1'))).message).toContain('sends more than');
  });

  it('may be a page where a manifest should be, which is never shown as one of ours', async () => {
    const proxy = await world.proxy([registry.host]);
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<script>');
      return true;
    };
    const { headers } = await proxy.get(at('manifests/1'));
    expect(headers.get('Content-Type')).toBe('application/octet-stream');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
  });

  it('may be a blob beyond the limit, announced or not', async () => {
    const proxy = await world.proxy([registry.host], { limits: { blob: BLOB.length - 1 } });
    expect((await proxy.failure(blobAt(BLOB_DIGEST))).message).toContain('sends more than');
    onBlob(registry, (_, response) => {
      response.write(BLOB);
      response.end();
    });
    expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(TypeError);
  });

  it('may be an idle connection that closes when it is used again', async () => {
    let requests = 0;
    const server = createServer((socket) => {
      socket.on('data', () => {
        // The server closes the first connection at its second request.
        if (++requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nalpha');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const proxy = await world.proxy([`127.0.0.1:${port}`]);
    const path = blobAt(sha256(Buffer.from('alpha')), `127.0.0.1:${port}`);
    for (let count = 0; count < 3; count++) expect(String(await proxy.bytes(path))).toBe('alpha');
    expect(requests).toBe(4);
    await world.close();
    server.close();
  });
});

describe('the cache', () => {
  async function cachingProxy(capacity = 64 << 20): Promise<{ proxy: Client; folder: string }> {
    const folder = await world.folder();
    const proxy = await world.proxy([registry.host], { cache: { folder, capacity } });
    return { proxy, folder };
  }

  it('answers requests for digests and parts without the registry', async () => {
    const { proxy, folder } = await cachingProxy();
    await proxy.bytes(at(`manifests/${image.digest}`));
    await proxy.bytes(blobAt(BLOB_DIGEST));
    await registry.stop();
    const offline = [proxy, await world.proxy([host], { cache: { folder, capacity: 64 << 20 } })];
    for (const client of offline) {
      const manifest = await client.get(at(`manifests/${image.digest}`));
      expect(manifest.headers.get('Content-Type')).toBe('application/vnd.oci.image.manifest.v1+json');
      expect(Buffer.from(await manifest.arrayBuffer()).equals(image.manifest)).toBe(true);
      expect((await client.bytes(blobAt(BLOB_DIGEST))).equals(BLOB)).toBe(true);
      const part = await client.get(blobAt(BLOB_DIGEST), { headers: { Range: 'bytes=10-19' } });
      expect([part.status, part.headers.get('Content-Range')]).toEqual([206, `bytes 10-19/${BLOB.length}`]);
      expect(Buffer.from(await part.arrayBuffer()).equals(BLOB.subarray(10, 20))).toBe(true);
      const beyond = await client.failure(blobAt(BLOB_DIGEST), {
        headers: { Range: `bytes=${BLOB.length}-` },
      });
      expect([beyond.status, beyond.headers.get('Content-Range')]).toEqual([416, `bytes */${BLOB.length}`]);
      expect((await client.get(blobAt(BLOB_DIGEST), { method: 'HEAD' })).status).toBe(200);
    }
  });

  it('saves manifest requests while a tag is unchanged', async () => {
    const { proxy } = await cachingProxy();
    const methods: (string | undefined)[] = [];
    registry.intercept = ({ method }) => {
      methods.push(method);
      return false;
    };
    for (let count = 0; count < 3; count++) await proxy.bytes(at('manifests/1'));
    expect(methods).toEqual(['HEAD', 'GET', 'HEAD', 'HEAD']);
    const newer = makeImage([]);
    registry.add(`${NAME}:1`, newer);
    expect((await proxy.bytes(at('manifests/1'))).equals(newer.manifest)).toBe(true);
  });

  it('returns the media type that a client’s own registry gave a manifest', async () => {
    const other = await world.registry();
    const types = new Map([
      [registry.host, 'application/vnd.oci.image.index.v1+json'],
      [other.host, 'application/vnd.oci.image.manifest.v1+json'],
    ]);
    const index = Buffer.from('{"schemaVersion":2,"manifests":[]}');
    for (const source of [registry, other]) {
      source.intercept = (_, response) => {
        response.writeHead(200, {
          'Content-Type': types.get(source.host),
          'Docker-Content-Digest': sha256(index),
        });
        response.end(index);
        return true;
      };
    }
    const hosts = [...types.keys()];
    const proxy = await world.proxy(hosts, { cache: { folder: await world.folder(), capacity: 1 << 20 } });
    for (const host of [...hosts, ...hosts, ...hosts.reverse()]) {
      for (const path of [`manifests/${sha256(index)}`, 'manifests/1']) {
        const answer = await proxy.get(at(path, host));
        expect(answer.headers.get('Content-Type')).toBe(types.get(host));
        expect(Buffer.from(await answer.arrayBuffer()).equals(index)).toBe(true);
      }
    }
  });

  it('tells the media type that a manifest has in the requested repository', async () => {
    const index = Buffer.from('{"schemaVersion":2,"manifests":[]}');
    const digest = sha256(index);
    const typeIn = (path: string) =>
      `application/vnd.oci.image.${path.includes('/v2/evil/') ? 'manifest' : 'index'}.v1+json`;
    registry.intercept = ({ url = '' }, response) => {
      response.writeHead(200, { 'Content-Type': typeIn(url), 'Docker-Content-Digest': digest }).end(index);
      return true;
    };
    const { proxy } = await cachingProxy();
    for (const repository of ['evil/a', 'good/a', 'evil/a', 'good/a']) {
      const path = `/v2/${repository}/manifests/${digest}`;
      const answer = await proxy.get(`${registry.host}${path}`);
      expect(answer.headers.get('Content-Type')).toBe(typeIn(path));
      await answer.arrayBuffer();
    }
  });

  it('works with registries that do not answer HEAD', async () => {
    const { proxy } = await cachingProxy();
    registry.intercept = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.writeHead(405).end();
      return true;
    };
    expect((await proxy.bytes(at('manifests/1'))).equals(image.manifest)).toBe(true);
  });

  it('keeps no data with a wrong digest, and the client never gets all of it', async () => {
    const { proxy, folder } = await cachingProxy();
    for (const size of [10, 1 << 20, 8 << 20]) {
      registry.blobs.set(BLOB_DIGEST, Buffer.alloc(size));
      expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(Error);
    }
    onBlob(registry, (_, response) => {
      response
        .writeHead(200, { 'Content-Length': BLOB.length })
        .write(BLOB.subarray(0, 500_000), () => response.destroy());
    });
    expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(Error);
    registry.intercept = (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      return true;
    };
    expect((await proxy.failure(at(`manifests/${image.digest}`))).message).toContain('but something else');
    expect(await listing(folder)).toEqual([]);
    registry.intercept = undefined;
    registry.blobs.set(BLOB_DIGEST, BLOB);
    expect((await proxy.bytes(blobAt(BLOB_DIGEST))).equals(BLOB)).toBe(true);
    expect(await listing(folder)).toHaveLength(1);
  });

  it('keeps neither parts nor aborted downloads', async () => {
    const { proxy, folder } = await cachingProxy(128 << 20);
    onBlob(registry, (_, response) => {
      const range = { 'Content-Range': 'bytes 5-9/100', 'Content-Length': 5 };
      response.writeHead(206, range).end('alpha');
    });
    await proxy.bytes(blobAt(BLOB_DIGEST), { headers: { Range: 'bytes=5-9' } });
    registry.intercept = undefined;
    expect(await listing(folder)).toEqual([]);
    const big = randomBytes(64 << 20);
    registry.blobs.set(sha256(big), big);
    const controller = new AbortController();
    const response = await proxy.get(blobAt(sha256(big)), { signal: controller.signal });
    await response.body?.getReader().read();
    expect(await listing(folder)).toHaveLength(1);
    controller.abort();
    await vi.waitFor(async () => expect(await listing(folder)).toEqual([]), PATIENT);
    expect((await proxy.bytes(blobAt(sha256(big)))).equals(big)).toBe(true);
    expect(await listing(folder)).toHaveLength(1);
  });

  it('keeps nothing that needed credentials', async () => {
    const { proxy, folder } = await cachingProxy();
    const asUser = { headers: { 'Registry-Authorization': 'Bearer mine' } };
    const blob = await proxy.get(blobAt(BLOB_DIGEST), asUser);
    await blob.arrayBuffer();
    expect(blob.headers.get('Cache-Control')).toBe('private, no-store');
    await proxy.bytes(at('manifests/1'), asUser);
    expect(await listing(folder)).toEqual([]);
  });

  it('drops files that the disk has changed, and fetches them again', async () => {
    const { proxy, folder } = await cachingProxy();
    await proxy.bytes(blobAt(BLOB_DIGEST));
    await proxy.bytes(at(`manifests/${image.digest}`));
    const names = await listing(folder);
    expect(names.map((name) => name.split('-')[0])).toEqual(['blob', 'manifest']);
    for (const name of names)
      await writeFile(`${folder}/${name}`, Buffer.alloc(name.startsWith('blob') ? BLOB.length : 10));
    expect(await breakOff(proxy, blobAt(BLOB_DIGEST))).toBeInstanceOf(Error);
    expect((await proxy.bytes(blobAt(BLOB_DIGEST))).equals(BLOB)).toBe(true);
    expect((await proxy.bytes(at(`manifests/${image.digest}`))).equals(image.manifest)).toBe(true);
  });

  it('stays within its bound', async () => {
    const { proxy, folder } = await cachingProxy(3 << 20);
    const blobs = Array.from({ length: 6 }, () => randomBytes(1 << 20));
    for (const blob of blobs) {
      registry.blobs.set(sha256(blob), blob);
      await proxy.bytes(blobAt(sha256(blob)));
      expect((await listing(folder)).length).toBeLessThanOrEqual(3);
    }
    const huge = randomBytes(4 << 20);
    registry.blobs.set(sha256(huge), huge);
    expect((await proxy.bytes(blobAt(sha256(huge)))).equals(huge)).toBe(true);
    expect(await listing(folder)).toEqual(
      blobs
        .slice(3)
        .map((blob) => `blob-${sha256(blob).replace(':', '-')}`)
        .sort(),
    );
  });

  it('serves many clients at the same time', async () => {
    const { proxy, folder } = await cachingProxy();
    const bodies = await Promise.all(Array.from({ length: 6 }, () => proxy.bytes(blobAt(BLOB_DIGEST))));
    expect(bodies.every((body) => body.equals(BLOB))).toBe(true);
    expect(await listing(folder)).toHaveLength(1);
  });
});
