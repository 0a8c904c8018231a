import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toByteString, toBytes } from '../disk/byte-string.ts';
import { listenRaw } from '../network/testing/test-server.ts';
import { HttpClient } from './client.ts';
import { HttpError } from './errors.ts';
import { toResponse } from './response.ts';
import { answering } from './testing/answer.ts';
import { connectLocally } from './testing/connect.ts';
import { untilStill } from './testing/until-still.ts';

type Piece = string | Uint8Array<ArrayBuffer>;

/** What a client makes of the bytes of a server: the response, or the message of its error. */
async function outcome(pieces: readonly Piece[], method = 'GET', open = false) {
  const client = new HttpClient(answering(pieces, open).connect);
  try {
    const response = await client.request({ url: 'http://localhost/', method, headers: [] });
    const { status, statusText, headers } = response;
    try {
      const body = toByteString(new Uint8Array(await new Response(response.body).arrayBuffer()));
      return { status, statusText, headers, body };
    } catch (error) {
      return { status, bodyError: messageOf(error) };
    }
  } catch (error) {
    return { error: messageOf(error) };
  } finally {
    client.close();
  }
}

/** An error of another class is a fault of the client. */
function messageOf(error: unknown): string {
  if (error instanceof HttpError) return error.message;
  throw error;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('responses that are refused', () => {
  const both = 'both Transfer-Encoding and Content-Length';
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'does not speak HTTP/1'],
    ['HTTP/0.9', '<html>', 'does not speak HTTP/1'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n', 'does not speak HTTP/1'],
    ['an empty line first', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'does not speak HTTP/1'],
    ['nothing', '', 'closed the connection without an answer'],
    ['a head without an end', `${OK}A: b\r\n`, 'closed the connection within the headers'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'invalid status line "HTTP/1.1 20 OK"'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'invalid status line'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'invalid status line'],
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n', 'invalid status line'],
    ['a control character in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', 'invalid status line'],
    ['a bare CR in the status line', 'HTTP/1.1 200 OK\rA: b\r\n\r\n', 'invalid status line'],
    ['a bare CR in a field', `${OK}A: b\rC: d\r\n\r\n`, 'invalid header field "A: b\\u{d}C: d"'],
    ['NUL in a field', `${OK}A: b\0\r\n\r\n`, 'invalid header field'],
    ['a space in front of the colon', `${OK}Transfer-Encoding : chunked\r\n\r\n`, 'invalid header field'],
    ['no colon', `${OK}Server\r\n\r\n`, 'invalid header field "Server"'],
    ['no name', `${OK}: x\r\n\r\n`, 'invalid header field'],
    ['a folded line first', `${OK} A: b\r\n\r\n`, 'invalid header field'],
    ['both lengths', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, both],
    ['both lengths, to HEAD', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, both, 'HEAD'],
    ['two lengths', `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 'Content-Length "3, 4"'],
    ['one length twice', `${OK}Content-Length: 3, 3\r\n\r\nabc`, 'Content-Length "3, 3"'],
    ['a negative length', `${OK}Content-Length: -1\r\n\r\n`, 'Content-Length "-1"'],
    ['a length with a sign', `${OK}Content-Length: +3\r\n\r\nabc`, 'Content-Length "+3"'],
    ['a hexadecimal length', `${OK}Content-Length: 0x3\r\n\r\nabc`, 'Content-Length "0x3"'],
    ['an enormous length', `${OK}Content-Length: 99999999999999999999\r\n\r\n`, 'Content-Length'],
    ['an empty length', `${OK}Content-Length:\r\n\r\n`, 'Content-Length ""'],
    [
      'chunked, identity',
      `${OK}Transfer-Encoding: chunked, identity\r\n\r\n`,
      'Transfer-Encoding "chunked, ident',
    ],
    ['gzip, chunked', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'unknown Transfer-Encoding'],
    [
      'chunked twice',
      `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'unknown Transfer',
    ],
    ['xchunked', `${OK}Transfer-Encoding: xchunked\r\n\r\n`, 'unknown Transfer-Encoding "xchunked"'],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.0'],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'changed the protocol'],
    ['endless interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000), 'more than 16 interim'],
    ['101 fields', `${OK}${'A: b\r\n'.repeat(101)}\r\n`, 'more than 100 header fields'],
    ['64 KiB of fields', `${OK}A: ${'b'.repeat(65536)}\r\n\r\n`, 'more than 64 KiB of headers'],
    ['an endless status line', `HTTP/1.1 200 ${'O'.repeat(65536)}`, 'more than 64 KiB of headers'],
  ])('%s', async (_, bytes, message, method = 'GET') => {
    expect(await outcome([bytes], method)).toEqual({ error: expect.stringContaining(message) });
  });
});

describe('bodies that fail', () => {
  const truncated = 'closed the connection before the end of the body';
  test.each([
    ['shorter than its length', `${OK}Content-Length: 5\r\n\r\nabc`, truncated],
    ['without the last chunk', `${CHUNKED}3\r\nabc\r\n`, truncated],
    ['with half a chunk', `${CHUNKED}5\r\nabc`, truncated],
    ['with half a size', `${CHUNKED}5`, truncated],
    ['without an end of the trailer', `${CHUNKED}0\r\n`, truncated],
    ['with a chunk longer than its size', `${CHUNKED}3\r\nabcd\r\n0\r\n\r\n`, 'longer than its size'],
    ['with a bare LF behind the size', `${CHUNKED}3\nabc\r\n0\r\n\r\n`, 'invalid chunk size "3\\u{a}"'],
    ['with a bare LF behind a chunk', `${CHUNKED}3\r\nabc\n0\r\n\r\n`, 'longer than its size'],
    ['with a bare CR in an extension', `${CHUNKED}3;a\rb\r\nabc\r\n0\r\n\r\n`, 'invalid chunk size'],
    ['with a negative size', `${CHUNKED}-3\r\nabc\r\n0\r\n\r\n`, 'invalid chunk size'],
    ['with a prefixed size', `${CHUNKED}0x3\r\nabc\r\n0\r\n\r\n`, 'invalid chunk size'],
    ['with an empty size', `${CHUNKED}\r\nabc\r\n0\r\n\r\n`, 'invalid chunk size'],
    ['with an enormous size', `${CHUNKED}ffffffffffffffff\r\nabc`, 'invalid chunk size'],
    ['with an endless size', `${CHUNKED}${'0'.repeat(2000)}`, 'endless chunk size'],
    ['with an endless extension', `${CHUNKED}3;${'a'.repeat(2000)}`, 'endless chunk size'],
    [
      'with many extensions',
      `${CHUNKED}${`1;${'a'.repeat(1000)}\r\nx\r\n`.repeat(20)}`,
      'too many chunk ext',
    ],
    ['with an invalid trailer', `${CHUNKED}0\r\nA b\r\n\r\n`, 'invalid header field'],
    ['with an endless trailer', `${CHUNKED}0\r\nA: ${'b'.repeat(65536)}`, 'more than 64 KiB of headers'],
    ['with 101 trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(101)}\r\n`, 'more than 100 header fields'],
  ])('%s', async (_, bytes, message) => {
    expect(await outcome([bytes])).toEqual({ status: 200, bodyError: expect.stringContaining(message) });
  });
});

describe('unusual responses that are accepted', () => {
  test.each([
    ['without a reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi', { statusText: '', body: 'hi' }],
    ['with bare LFs, as from CGI', 'HTTP/1.0 200 OK\nA: b\n\nhi', { headers: [['A', 'b']], body: 'hi' }],
    ['with a folded field', `${OK}A: b\r\n\t c\r\n\r\n`, { headers: [['A', 'b c']] }],
    ['with a folded blank byte of UTF-8', `${OK}A: \xc3\r\n \xa0\r\n\r\n`, { headers: [['A', '\xc3 \xa0']] }],
    ['with UTF-8 in a field', `${OK}A: \xc3\xa4\r\n\r\n`, { headers: [['A', '\xc3\xa4']] }],
    ['with space around a value', `${OK}A: \t b \t\r\n\r\n`, { headers: [['A', 'b']] }],
    ['with interim ones', `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n${OK}\r\n`, { headers: [] }],
    ['with extensions and trailers', `${CHUNKED}2;a="b" \r\nhi\r\n0;c\r\nA: b\r\n\r\n`, { body: 'hi' }],
    ['with sizes of many digits', `${CHUNKED}0000000000002\r\nhi\r\n0\r\n\r\n`, { body: 'hi' }],
    ['until the end of the connection', `${OK}\r\nhi`, { body: 'hi' }],
    [
      'with 204 and a chunked body',
      `HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      { body: '' },
    ],
    ['with 304 and a length', 'HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n', { status: 304, body: '' }],
    ['with status 999', 'HTTP/1.1 999 No\r\n\r\nhi', { status: 999, body: 'hi' }],
    [
      'with fields of the connection',
      `${OK}Connection: close, X-Hop\r\nX-Hop: 1\r\nA: b\r\n\r\n`,
      { headers: [['A', 'b']] },
    ],
  ])('%s', async (_, bytes, expected) => {
    expect(await outcome([bytes])).toMatchObject(expected);
  });
});

test('a server of another protocol that waits is refused at once', async () => {
  expect(await outcome(['220 mail'], 'GET', true)).toEqual({ error: 'the server does not speak HTTP/1' });
});

test('blanks within a field take no time', { timeout: 8000 }, async () => {
  const field = `A: b${' '.repeat(65_000)}c\r\n\r\n`;
  const bytes = `${`HTTP/1.1 103 Early Hints\r\n${field}`.repeat(16)}${OK}${field}`;
  expect(await outcome([bytes])).toMatchObject({ status: 200 });
});

test('a response of HEAD has the length of a body, and none', async () => {
  const { connect } = answering([`${OK}Content-Length: 5\r\n\r\n`], true);
  const response = await new HttpClient(connect).request({ url: 'http://a/', method: 'HEAD', headers: [] });
  expect(response).toMatchObject({ headers: [['Content-Length', '5']], body: null });
});

test('statuses that a Response refuses become others', async () => {
  const answer = async (head: string) => {
    const client = new HttpClient(answering([`HTTP/1.1 ${head}\r\nContent-Length: 2\r\n\r\nhi`]).connect);
    return toResponse(await client.request(new Request('http://localhost/')));
  };
  const invalid = await answer('999 No');
  expect([invalid.status, invalid.statusText, await invalid.text()]).toEqual([500, 'No', 'hi']);
  const reset = await answer('205 Reset');
  expect([reset.status, reset.body]).toEqual([205, null]);
  expect((await answer('304 Not')).body).toBeNull();
});

/** A response and each way to cut it in pieces, given by the positions of the cuts. */
const RESPONSES = [
  `${OK}A: b\r\n c\r\nContent-Length: 11\r\n\r\nhello world`,
  `HTTP/1.1 100 Continue\r\n\r\n${CHUNKED}5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nT: u\r\n\r\n`,
  `HTTP/1.0 200 OK\nA: b\n\nhello world`,
  `${CHUNKED}5\r\nhello\r\n6\r\n worl`,
  `${CHUNKED}5\r\nhello\r\nx`,
  `${OK}A : b\r\n\r\n`,
];

function cut(text: string, positions: readonly number[]): string[] {
  const places = [...new Set(positions.map((position) => position % text.length))].sort((a, b) => a - b);
  return [0, ...places].map((place, index) => text.slice(place, places[index] ?? text.length));
}

test('pieces of any size give the same response', async () => {
  for (const response of RESPONSES) {
    const whole = await outcome([response]);
    expect(await outcome(response.split(''))).toEqual(whole);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(response.length - 1), { maxLength: 8 }), async (positions) => {
        expect(await outcome(cut(response, positions))).toEqual(whole);
      }),
      { numRuns: 100 },
    );
  }
});

test('no bytes make the client hang, or fail with an error of another kind', async () => {
  const words = [
    'HTTP/1.1 ',
    '200 OK',
    '\r\n',
    '\n',
    '\r',
    ': ',
    'Content-Length',
    'Transfer-Encoding',
    'chunked',
  ];
  const part = fc.oneof(
    fc.constantFrom(...words, '5', ';', ' ', '0\r\n\r\n', 'hello', '100', '204'),
    fc.uint8Array({ maxLength: 8 }).map(toByteString),
  );
  const bytes = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('', OK, CHUNKED), bytes, async (start, rest) => {
      expect(await outcome([toBytes(start + rest)])).toBeDefined();
    }),
    { numRuns: 1000 },
  );
});

test('an endless body needs bounded memory, and its connection ends with it', async () => {
  const sent: number[] = [];
  let ended = false;
  await using server = await listenRaw((socket) => {
    const block = Buffer.alloc(64 * 1024);
    const fill = () => {
      while (!socket.destroyed && socket.write(block)) sent.push(block.length);
      sent.push(block.length);
    };
    socket.once('data', () => {
      socket.write(`${OK}\r\n`);
      socket.on('drain', fill);
      fill();
    });
    socket.on('close', () => {
      ended = true;
    });
  });
  const client = new HttpClient(connectLocally);
  const response = await client.request(new Request(server.url));
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  expect((await reader.read()).value?.length).toBeGreaterThan(0);
  // What is on its way without a reader stays in the sockets of the system, which take a few megabytes.
  await untilStill(() => sent.length);
  expect(sent.length).toBeLessThan(1024);
  await reader.cancel();
  await expect.poll(() => ended).toBe(true);
});
