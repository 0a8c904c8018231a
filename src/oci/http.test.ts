import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from './bytes.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import { type Fetch, HttpClient, parseRetryAfter, type Timing, TransientError } from './http.ts';
import { nodeFetch } from './node-fetch.ts';
import { context, NO_ANSWER, NO_END, TIMING } from './testing/pull.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
let requests: IncomingMessage[];

beforeEach(() => {
  requests = [];
});

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const CONTENT = new Uint8Array(500_000).map((_, i) => (i * 7) >> 3);

/** Sends at most `length` bytes of the requested part, and then treats the connection as told. */
function sendPart(
  request: IncomingMessage,
  response: ServerResponse,
  length: number,
  then: 'hang' | 'break' | 'end',
) {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (request.headers.range)
    response.writeHead(206, { 'Content-Range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` });
  else response.writeHead(200);
  response.write(CONTENT.subarray(start, start + length), () => {
    if (then === 'break') setTimeout(() => response.destroy(), 20);
    if (then === 'end') response.end();
  });
}

const failure = (promise: Promise<unknown>): Promise<ImageError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

const FETCHES: [string, Fetch][] = [
  ['the platform', fetch],
  ['Node', nodeFetch],
];

describe.each(FETCHES)('with the fetch of %s', (_, fetch) => {
  const http = new HttpClient(fetch, TIMING);

  function download(url: string, on: Context = context(), timing: Timing = TIMING) {
    const client = new HttpClient(fetch, timing);
    const open = (offset: number) => client.get(url, offset > 0 ? { range: `bytes=${offset}-` } : {}, on);
    return collect(client.download(open, CONTENT.length, on), 1 << 30, 'it');
  }

  describe('a download', () => {
    it.each(['hang', 'break', 'end'] as const)('continues after the connection did %s', async (how) => {
      const url = await serve((request, response) => sendPart(request, response, 150_000, how));
      const retries: string[] = [];
      const on = { ...context(), onRetry: (reason: string) => retries.push(reason) };
      const bytes = await download(url, on, how === 'hang' ? { ...TIMING, stall: 1000 } : TIMING);
      expect(Buffer.compare(bytes, CONTENT)).toBe(0);
      expect(requests.map(({ headers }) => headers.range)).toEqual([
        undefined,
        'bytes=150000-',
        'bytes=300000-',
        'bytes=450000-',
      ]);
      expect(retries).toHaveLength(3);
      expect(retries[0]).toMatch(
        { hang: /stopped sending/, break: /broke off/, end: /ended a download/ }[how],
      );
    });

    it('skips received bytes if the server does not support ranges', async () => {
      const url = await serve((request, response) => {
        delete request.headers.range;
        sendPart(request, response, requests.length * 200_000, 'break');
      });
      expect(Buffer.compare(await download(url), CONTENT)).toBe(0);
      expect(requests).toHaveLength(3);
    });

    it('refuses a part other than the requested one', async () => {
      const url = await serve((request, response) => {
        if (request.headers.range) response.writeHead(206, { 'Content-Range': 'bytes 5-9/10' }).end('12345');
        else sendPart(request, response, 1000, 'break');
      });
      const error = await failure(download(url));
      expect(error.message).toMatch(/another part/);
      expect(error.kind).toBe('invalid');
    });

    it('fails when the server never answers', async () => {
      const url = await serve(() => {});
      const error = await failure(download(url, context(), NO_ANSWER));
      expect(error.message).toMatch(/^127\.0\.0\.1:\d+ does not answer within [\d.]+ s$/);
      expect(error.kind).toBe('network');
      expect(requests).toHaveLength(3);
    });

    it('fails when no more bytes arrive, after some time', async () => {
      const url = await serve((request, response) => {
        const first = requests.length === 1;
        sendPart(request, response, first ? 1000 : 0, 'hang');
      });
      const error = await failure(download(url, context(), NO_END));
      expect(error.message).toMatch(/stopped sending/);
      expect(requests.length).toBeGreaterThanOrEqual(3);
      expect(requests.length).toBeLessThan(20);
    });

    it('fails when the host cannot be reached', async () => {
      const url = await serve(() => {});
      const server = servers.pop();
      await new Promise((resolve) => server?.close(resolve));
      const error = await failure(download(url));
      expect(error.message).toMatch(/cannot reach 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    });

    it('ends at once when it is aborted, in any state', async () => {
      const answers: Handler[] = [
        () => {},
        (request, response) => sendPart(request, response, 1000, 'hang'),
        (_, response) => response.destroy(),
      ];
      for (const answer of answers) {
        const url = await serve(answer);
        const controller = new AbortController();
        const reason = new Error('the user has had enough');
        const slow = new HttpClient(fetch, { answer: 60_000, stall: 60_000, backoff: 60_000 });
        const on = { signal: controller.signal };
        const open = () => slow.get(url, {}, on);
        const promise = failure(collect(slow.download(open, 2000, on), 1 << 20, 'it'));
        setTimeout(() => controller.abort(reason), 150);
        const start = performance.now();
        expect(await promise).toBe(reason);
        expect(performance.now() - start).toBeLessThan(30_000);
      }
    });
  });

  describe('redirects', () => {
    const redirect = (location: string, status = 307): Handler => {
      return (_, response) => {
        response.writeHead(status, { Location: location }).end();
      };
    };

    it('keep the Authorization header on the same origin only', async () => {
      const other = await serve((_, response) => response.end('there'));
      const url = await serve((request, response) => {
        const location = request.url === '/a' ? '/b' : `${other}/c`;
        response.writeHead(302, { Location: location }).end();
      });
      const answer = await http.get(
        `${url}/a`,
        { authorization: 'Basic eDp5', range: 'bytes=1-' },
        context(),
      );
      expect(new TextDecoder().decode(await answer.bytes(100, 'it'))).toBe('there');
      const seen = requests.map(({ url, headers }) => [url, headers.authorization, headers.range]);
      expect(seen).toEqual([
        ['/a', 'Basic eDp5', 'bytes=1-'],
        ['/b', 'Basic eDp5', 'bytes=1-'],
        ['/c', undefined, 'bytes=1-'],
      ]);
    });

    it('end when there are too many', async () => {
      const url = await serve((_, response) => response.writeHead(301, { Location: '/again' }).end());
      expect((await failure(http.get(url, {}, context()))).message).toMatch(/redirects too often/);
      expect(requests).toHaveLength(6);
    });

    it.each([
      ['ftp://example.com/', /away from https/],
      ['file:///etc/passwd', /away from https/],
      ['http://user:secret@127.0.0.1/', /password/],
      ['http://[', /no valid address/],
    ])('to %s are refused', async (location, message) => {
      const url = await serve(redirect(location));
      expect((await failure(http.get(url, {}, context()))).message).toMatch(message);
    });

    it.each([
      'https://127.0.0.1/',
      'https://localhost/',
      'https://169.254.169.254/latest/meta-data/',
      'https://[::1]/',
      'https://0x7f000001/',
      'https://192.168.0.1/',
    ])('from the internet to %s are refused before anything is sent', async (location) => {
      const sent: string[] = [];
      const client = new HttpClient(async (url) => {
        sent.push(url);
        return new Response(null, { status: 302, headers: { location } });
      }, TIMING);
      const error = await failure(client.get('https://registry.example/', {}, context()));
      expect(error.message).toMatch(/^registry\.example redirects to .*, which is not on the internet$/);
      expect(sent).toHaveLength(1);
    });

    it('never leave https', async () => {
      const client = new HttpClient(
        async () => new Response(null, { status: 302, headers: { location: 'http://registry.example/' } }),
        TIMING,
      );
      const error = await failure(client.get('https://registry.example/', {}, context()));
      expect(error.message).toMatch(/away from https/);
    });

    it('that a browser hides are an error', async () => {
      const hidden = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' });
      const client = new HttpClient(async () => hidden, TIMING);
      expect((await failure(client.get('https://a.example/', {}, context()))).message).toMatch(/redirects/);
    });
  });

  describe('an answer', () => {
    it('is read up to a limit, whether or not it announces its size', async () => {
      const url = await serve((request, response) => {
        if (request.url === '/announced') response.setHeader('Content-Length', 1e9);
        response.write(new Uint8Array(2000));
        if (request.url === '/announced') setTimeout(() => response.destroy(), 1000);
        else response.end();
      });
      for (const path of ['/announced', '/chunked']) {
        const answer = await http.get(url + path, {}, context());
        expect((await failure(answer.bytes(1000, 'the manifest'))).message).toBe(
          'the manifest is larger than 1000 bytes',
        );
      }
      const answer = await http.get(`${url}/chunked`, {}, context());
      expect(await answer.bytes(2000, 'it')).toHaveLength(2000);
    });

    it.each([
      [
        'application/json',
        '{"errors":[{"code":"DENIED","message":"requested access denied"}]}',
        'requested access denied',
      ],
      ['application/json', '{"errors":[{"code":"DENIED"}]}', 'DENIED'],
      ['application/json', '{"details":"bad token"}', 'bad token'],
      ['application/json', '{"errors":7}', ''],
      ['application/json', 'null', ''],
      ['text/plain', 'go\u001b[2J\naway', 'go [2J away'],
      ['text/html', '<h1>no</h1>', ''],
      ['text/plain', 'x'.repeat(100_000), ''],
    ])('explains itself: %s %j', async (type, body, expected) => {
      const url = await serve((_, response) => response.setHeader('Content-Type', type).end(body));
      const answer = await http.get(url, {}, context());
      expect((await answer.explanation()).text).toBe(expected);
    });
  });

  describe('retries', () => {
    it('back off exponentially, with jitter, and are reported', async () => {
      const delays: number[] = [];
      const patient = new HttpClient(fetch, { ...TIMING, backoff: 40 });
      let attempts = 0;
      const failing = async () => {
        attempts++;
        throw new TransientError('busy', 'network');
      };
      const on = { ...context(), onRetry: (_: string, delay: number) => delays.push(delay) };
      await failure(patient.retry(failing, on));
      expect(attempts).toBe(3);
      expect(delays).toHaveLength(2);
      expect(delays[0]).toBeLessThanOrEqual(80);
      expect(delays[1]).toBeLessThanOrEqual(160);
    });

    it('wait for the requested time, unless it is too long', async () => {
      let attempts = 0;
      const busy = async (retryAfter: number) => {
        if (attempts++ === 0) throw new TransientError('busy', 'rate-limit', retryAfter);
        return 'done';
      };
      const start = performance.now();
      expect(await http.retry(() => busy(300), context())).toBe('done');
      expect(performance.now() - start).toBeGreaterThan(290);
      attempts = 0;
      expect(await failure(http.retry(() => busy(3_600_000), context()))).toBeInstanceOf(ImageError);
      expect(attempts).toBe(1);
    });

    it('are not made for permanent errors', async () => {
      let attempts = 0;
      const failing = async () => {
        attempts++;
        throw new ImageError('no');
      };
      await failure(http.retry(failing, context()));
      expect(attempts).toBe(1);
    });

    it.each([
      [null, undefined],
      ['120', 120_000],
      ['nonsense', undefined],
      ['Mon, 01 Jan 2001 00:00:00 GMT', 0],
    ])('Retry-After: %s', (header, expected) => {
      expect(parseRetryAfter(header)).toBe(expected);
    });

    it('Retry-After as a date', () => {
      const inAMinute = parseRetryAfter(new Date(Date.now() + 60_000).toUTCString());
      expect(inAMinute).toBeGreaterThan(58_000);
      expect(inAMinute).toBeLessThanOrEqual(60_000);
    });
  });
});
