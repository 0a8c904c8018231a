import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { offerProtocols, parseTokenAnswer, RELAY_PROTOCOL } from '../../network/relay-protocol.ts';
import type { RelayOptions } from './options.ts';
import { RelayClient, RelayServer } from './testing/relay-server.ts';

let server: RelayServer;

const start = async (options: RelayOptions = {}) => {
  await server?.close();
  server = await RelayServer.start({ trustProxy: true, ...options });
};

beforeEach(() => start());
afterEach(async () => {
  vi.restoreAllMocks();
  await server.close();
});

/** Expects that nothing has been opened for a refused client. */
async function expectRefusal(status: number, knock: ReturnType<RelayServer['knock']>, message: RegExp) {
  const answer = await knock;
  expect(answer).toMatchObject({ status, body: expect.stringMatching(message) });
  expect(server.relay.sessions).toBe(0);
}

test('a page of the server gets a session with its token', async () => {
  const client = await server.connect();
  expect(client.socket.protocol).toBe(RELAY_PROTOCOL);
  expect(server.relay.sessions).toBe(1);
  client.socket.close();
  await expect.poll(() => server.relay.sessions).toBe(0);
  expect(server.lines).toEqual([expect.stringMatching(/^relay: 192\.0\.2\.1: left after \d+ s, 0 bytes up/)]);
});

test('so does a program, which has no origin', async () => {
  expect(await server.knock({ headers: { 'X-Forwarded-For': '192.0.2.1' } })).toBeInstanceOf(RelayClient);
});

describe('no token for', () => {
  const page = () => server.page();
  test.each<[string, () => Record<string, string>, number]>([
    ['a page of another origin', () => ({ ...page(), Origin: 'https://evil.example' }), 403],
    ['a page of another port', () => ({ ...page(), Origin: 'http://localhost:1' }), 403],
    ['an opaque origin', () => ({ ...page(), Origin: 'null' }), 403],
    ['a page of another site', () => ({ ...page(), 'Sec-Fetch-Site': 'cross-site' }), 403],
    ['a preview', () => ({ ...page(), 'Sec-Fetch-Site': 'same-site' }), 403],
    // The rest of the server refuses other names first.
    ['a name that leads here', () => ({ ...page(), Host: 'evil.example' }), 421],
  ])('%s', async (_, headers, status) => {
    const answer = await server.requestToken(headers());
    expect(answer.status).toBe(status);
    if (status === 403)
      expect(parseTokenAnswer(answer.body)).toEqual({
        refused: 'forbidden',
        message: 'only pages of this server may ask',
      });
  });

  test('a reader', async () => {
    expect((await server.requestToken(server.page(), 'GET')).status).toBe(404);
  });
});

describe('no session for', () => {
  test('a page of another origin, whatever its token', async () => {
    const protocols = offerProtocols(await server.token());
    for (const Origin of ['https://evil.example', 'http://localhost:1', 'null', server.origin.toUpperCase()])
      await expectRefusal(
        403,
        server.knock({ protocols, headers: { ...server.page(), Origin } }),
        /only pages of this server/,
      );
  });

  test('a name that leads here (DNS rebinding)', async () => {
    const host = `evil.example:${server.port}`;
    const headers = { ...server.page(), Host: host, Origin: `http://${host}` };
    const protocols = offerProtocols(await server.token());
    await expectRefusal(403, server.knock({ protocols, headers }), /does not have the name/);
  });

  test('what is no name', async () => {
    const protocols = offerProtocols(await server.token());
    for (const Host of [`evil.example@localhost:${server.port}`, `localhost:${server.port}/evil.example`]) {
      const headers = { ...server.page(), Host };
      await expectRefusal(403, server.knock({ protocols, headers }), /does not have the name/);
    }
  });

  test('a preview of a container', async () => {
    const host = `8000-abc.linuxrun.localhost:${server.port}`;
    const headers = { ...server.page(), Host: host, Origin: `http://${host}` };
    const protocols = offerProtocols(await server.token());
    await expectRefusal(403, server.knock({ protocols, headers }), /does not have the name/);
  });

  test('a public name without TLS', async () => {
    await start({ hosts: ['run.example.com'] });
    const headersOf = (scheme: string) => ({
      ...{ Host: 'run.example.com', Origin: `${scheme}://run.example.com`, 'X-Forwarded-For': '192.0.2.1' },
    });
    const protocols = offerProtocols(await server.token(headersOf('https')));
    await expectRefusal(403, server.knock({ protocols, headers: headersOf('http') }), /only pages/);
    expect(await server.knock({ protocols, headers: headersOf('https') })).toBeInstanceOf(RelayClient);
  });

  test.each([
    ['no protocols', []],
    ['our protocol only', [RELAY_PROTOCOL]],
    ['a made-up token', [RELAY_PROTOCOL, `token.9999999999.${'a'.repeat(43)}.${'b'.repeat(43)}`]],
    ['no text of a token', [RELAY_PROTOCOL, 'token.x']],
  ])('%s', async (_, protocols) => {
    await expectRefusal(403, server.knock({ protocols }), /token/);
  });

  test('a used token', async () => {
    const protocols = offerProtocols(await server.token());
    const first = (await server.knock({ protocols })) as RelayClient;
    first.socket.close();
    await first.closed;
    await expect.poll(() => server.relay.sessions).toBe(0);
    await expectRefusal(403, server.knock({ protocols }), /used, expired, or of another/);
  });

  test('an expired token', async () => {
    const protocols = offerProtocols(await server.token());
    const now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => now + 61_000);
    await expectRefusal(403, server.knock({ protocols }), /used, expired, or of another/);
  });

  test('the token of another client, or of another origin', async () => {
    const protocols = offerProtocols(await server.token());
    await expectRefusal(403, server.knock({ protocols, headers: server.page('192.0.2.2') }), /of another/);
    await expectRefusal(
      403,
      server.knock({ protocols, headers: { 'X-Forwarded-For': '192.0.2.1' } }),
      /of another/,
    );
    const host = `127.0.0.1:${server.port}`;
    const headers = { ...server.page(), Host: host, Origin: `http://${host}` };
    await expectRefusal(403, server.knock({ protocols, headers }), /of another/);
  });

  test('a token in the URL', async () => {
    const token = await server.token();
    const path = `/relay?token=${token}`;
    await expectRefusal(403, server.knock({ path, protocols: [] }), /Sec-WebSocket-Protocol/);
    await expectRefusal(403, server.knock({ path, protocols: offerProtocols(token) }), /Sec-WebSocket/);
  });

  test('another path', async () => {
    for (const path of ['/', '/relay/', '/relay/token', '/registry/quay.io/v2/'])
      await expectRefusal(404, server.knock({ path }), /Not found/);
  });

  test('what is no WebSocket, and its place is free again', async () => {
    for (let count = 0; count < 5; count++) {
      const socket = connect(server.port, 'localhost');
      const protocols = offerProtocols(await server.token()).join(', ');
      const headers = Object.entries({ ...server.page(), 'Sec-WebSocket-Protocol': protocols });
      socket.write(
        `GET /relay HTTP/1.1\r\nHost: localhost:${server.port}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n` +
          `${headers.map((header) => `${header.join(': ')}\r\n`).join('')}\r\n`,
      );
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(server.relay.sessions).toBe(0);
  });
});

describe('quotas', () => {
  const refusalOf = async (client: string) => {
    const { status, body } = await server.requestToken(server.page(client));
    return { status, ...parseTokenAnswer(body) };
  };

  test('two sessions for a client, and the third one hears why', async () => {
    const headers = server.page();
    const spare = await server.token();
    const first = await server.connect();
    await server.connect();
    expect(await refusalOf('192.0.2.1')).toMatchObject({
      ...{ status: 429, refused: 'sessions', message: expect.stringContaining('close another machine') },
    });
    const protocols = offerProtocols(spare);
    expect(await server.knock({ headers, protocols })).toMatchObject({ status: 429 });
    expect(server.relay.sessions).toBe(2);
    // It was not used up.
    first.socket.close();
    await expect.poll(() => server.relay.sessions).toBe(1);
    expect(await server.knock({ headers, protocols })).toBeInstanceOf(RelayClient);
    expect(await server.knock({ headers: server.page('192.0.2.2') })).toBeInstanceOf(RelayClient);
  });

  test('a number of sessions for all', async () => {
    await start({ limits: { concurrent: 2 } });
    const spare = await server.token(server.page('192.0.2.3'));
    await server.connect();
    await server.connect({ headers: server.page('192.0.2.2') });
    expect(await refusalOf('192.0.2.3')).toMatchObject({ status: 503, refused: 'busy' });
    const knock = server.knock({ headers: server.page('192.0.2.3'), protocols: offerProtocols(spare) });
    expect(await knock).toMatchObject({ status: 503 });
  });

  test('a number of sessions in a time', async () => {
    await start({ limits: { burst: 2, rate: 0.01 } });
    for (let count = 0; count < 2; count++) (await server.connect()).socket.close();
    expect(await refusalOf('192.0.2.1')).toMatchObject({
      ...{
        status: 429,
        refused: 'sessions',
        message: expect.stringMatching(/too often: try again in \d+ s/),
      },
    });
  });
});

test('a relay for tokens made elsewhere gives none', async () => {
  await start({ secret: '0123456789abcdef', givesNoTokens: true });
  const answer = await server.requestToken();
  expect(answer.status).toBe(403);
  expect(parseTokenAnswer(answer.body)).toMatchObject({ refused: 'forbidden' });
});

test('a closing server ends its sessions', async () => {
  const client = await server.connect();
  const closed = server.close();
  expect(await client.closed).toBe(1001);
  await closed;
  expect(client.heard('error')).toEqual([{ type: 'error', reason: 'shutdown' }]);
  await start();
});
