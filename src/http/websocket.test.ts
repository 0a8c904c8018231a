import { createServer } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen, listenRaw } from '../network/testing/test-server.ts';
import { connectLocally } from './testing/connect.ts';
import { untilStill } from './testing/until-still.ts';
import { acceptFields, frame, framesOf, listenFrames, switching } from './testing/websocket-server.ts';
import { openWebSocket, type WebSocketStream } from './websocket.ts';
import { FrameDecoder, type Received } from './websocket-frames.ts';

/** A server of the library `ws`. */
async function serve(handle: (socket: WebSocket, url: string) => void, options = {}) {
  const http = createServer((_, response) => response.writeHead(404).end());
  new WebSocketServer({ server: http, ...options }).on('connection', (socket, request) => {
    socket.on('error', () => {});
    handle(socket, request.url ?? '');
  });
  return listen(http);
}

const echo = (socket: WebSocket) =>
  socket.on('message', (data, binary) => socket.send(data, { binary, fin: true }));

const open = (server: { port: number }, options = {}) =>
  openWebSocket(connectLocally, `ws://localhost:${server.port}/path`, options);

async function readAll(socket: WebSocketStream): Promise<unknown[]> {
  const messages: unknown[] = [];
  await socket.readable.pipeTo(new WritableStream({ write: (message) => void messages.push(message) }));
  return messages;
}

describe('an open WebSocket', () => {
  test('carries text and bytes of all lengths both ways', async () => {
    await using server = await serve(echo);
    const socket = await open(server);
    const writer = socket.writable.getWriter();
    const reader = socket.readable.getReader();
    for (const length of [0, 1, 125, 126, 127, 65535, 65536, 1_000_003]) {
      const text = 'ü'.repeat(length / 2);
      void writer.write(text);
      expect((await reader.read()).value).toBe(text);
      const bytes = Uint8Array.from({ length }, (_, index) => index % 253);
      void writer.write(bytes);
      expect(Buffer.compare((await reader.read()).value as Uint8Array, bytes)).toBe(0);
    }
    socket.close(1000, 'done');
    expect(await socket.closed).toEqual({ code: 1000, reason: 'done', wasClean: true });
    expect((await reader.read()).done).toBe(true);
    await expect(writer.write('late')).rejects.toThrow('the WebSocket is closed');
  });

  test('has the subprotocol that the server chose, and its headers', async () => {
    let seen: string | undefined;
    const http = createServer();
    const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'vite-hmr' });
    sockets.on('headers', (headers) => headers.push('Set-Cookie: a=b'));
    sockets.on('connection', (_, { headers, url }) => {
      seen = `${url} ${headers.origin} ${headers.cookie} ${headers.host}`;
    });
    await using server = await listen(http);
    const socket = await open(server, {
      protocols: ['other', 'vite-hmr'],
      headers: [
        ['Origin', 'http://localhost'],
        ['Cookie', 'c=d'],
      ],
    });
    expect(socket.protocol).toBe('vite-hmr');
    expect(socket.setCookies).toEqual(['a=b']);
    expect(seen).toBe(`/path http://localhost c=d localhost:${server.port}`);
    socket.close();
    expect(await socket.closed).toMatchObject({ code: 1005, wasClean: true });
  });

  test('is closed by the server, after its last message', async () => {
    await using server = await serve((socket) => {
      socket.send('last');
      socket.close(4001, 'grüße');
    });
    const socket = await open(server);
    expect(await readAll(socket)).toEqual(['last']);
    expect(await socket.closed).toEqual({ code: 4001, reason: 'grüße', wasClean: true });
  });

  test('tells the server the code and reason of closing', async () => {
    let told = {};
    await using server = await serve((socket) =>
      socket.on('close', (code, reason) => {
        told = { code, reason: String(reason) };
      }),
    );
    const socket = await open(server);
    socket.close(3000, 'bye');
    await expect.poll(() => told).toEqual({ code: 3000, reason: 'bye' });
  });

  test('closes when its streams are closed or cancelled', async () => {
    await using server = await serve(echo);
    for (const leave of [
      (socket: WebSocketStream) => socket.writable.close(),
      (socket: WebSocketStream) => socket.writable.abort(),
      (socket: WebSocketStream) => socket.readable.cancel(),
    ]) {
      const socket = await open(server);
      await leave(socket);
      expect(await socket.closed).toMatchObject({ code: 1005, wasClean: true });
    }
  });

  test('refuses codes and reasons that may not be sent', async () => {
    await using server = await serve(echo);
    const socket = await open(server);
    for (const code of [0, 999, 1001, 1005, 1006, 2999, 5000, Number.NaN])
      expect(() => socket.close(code)).toThrow(RangeError);
    expect(() => socket.close(1000, 'ü'.repeat(62))).toThrow('more than 123 bytes');
    socket.close();
    await socket.closed;
  });

  test('answers pings', async () => {
    await using server = await serve((socket) => {
      socket.on('pong', (payload) => socket.close(1000, `${payload}`));
      socket.ping('are you there');
    });
    const socket = await open(server);
    expect(await socket.closed).toMatchObject({ reason: 'are you there' });
  });

  test('holds the server back when nobody reads', async () => {
    let sent = 0;
    await using server = await listenFrames((socket) => {
      const message = frame(2, new Uint8Array(64 * 1024));
      const fill = () => {
        do sent++;
        while (socket.write(message));
      };
      socket.on('drain', fill);
      fill();
    });
    const socket = await open(server);
    await untilStill(() => sent);
    expect(sent).toBeLessThan(1024);
    await socket.readable.cancel();
  });

  test('is held back by a server that reads nothing, and still closes', async () => {
    await using server = await listenFrames((socket) => socket.pause());
    const socket = await open(server);
    const writer = socket.writable.getWriter();
    let written = 0;
    const writing = (async () => {
      for (;;) {
        await writer.write(new Uint8Array(64 * 1024));
        written++;
      }
    })();
    writing.catch(() => {});
    await untilStill(() => written);
    socket.close();
    expect(await socket.closed).toEqual({ code: 1006, reason: '', wasClean: false });
    await expect(writing).rejects.toThrow();
  });

  test('keeps one answer for a server that pings and reads nothing', async () => {
    const written: Uint8Array[] = [];
    let take = () => {};
    const taken = new Promise<void>((resolve) => {
      take = resolve;
    });
    const pings = Array.from({ length: 1000 }, (_, index) => frame(9, `${index}`));
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const server = writable.getWriter();
    const connect = async () => ({
      readable,
      writable: new WritableStream<Uint8Array>({
        async write(bytes) {
          written.push(bytes);
          if (written.length > 1) await taken;
          else void server.write(Buffer.from(switching(acceptFields(`${Buffer.from(bytes)}`))));
        },
      }),
    });
    const socket = await openWebSocket(connect, 'ws://localhost/');
    void server.write(frame(9, 'first'));
    await expect.poll(() => written).toHaveLength(2);
    void server.write(Buffer.concat([...pings, frame(1, 'end')]));
    expect((await socket.readable.getReader().read()).value).toBe('end');
    take();
    await expect.poll(() => written).toHaveLength(3);
    const answers = framesOf(Buffer.concat(written.slice(1)));
    expect(answers.map(({ payload }) => String(payload))).toEqual(['first', '999']);
    socket.close();
    await expect.poll(() => framesOf(Buffer.concat(written.slice(1))).length).toBe(3);
  });
});

describe('a handshake is refused', () => {
  const answers: [string, (request: string) => string, string][] = [
    ['by another status', () => 'HTTP/1.1 403 Forbidden\r\n\r\n', 'answered 403 Forbidden'],
    ['by a page', () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'answered 200 OK'],
    ['with a wrong key', () => switching(acceptFields('Sec-WebSocket-Key: x\r\n')), 'Sec-WebSocket-Accept'],
    ['without a key', (r) => switching(acceptFields(r).slice(0, 2)), 'Sec-WebSocket-Accept'],
    ['without Upgrade', (r) => switching(acceptFields(r).slice(1)), 'another protocol'],
    ['without Connection', (r) => switching(acceptFields(r).toSpliced(1, 1)), 'another protocol'],
    [
      'with an extension',
      (r) => switching([...acceptFields(r), 'Sec-WebSocket-Extensions: x']),
      'extensions',
    ],
    ['with a subprotocol', (r) => switching([...acceptFields(r), 'Sec-WebSocket-Protocol: x']), 'none of'],
    ['by nothing', () => '', 'closed the connection without an answer'],
    ['by another protocol', () => 'SSH-2.0-x\r\n', 'does not speak HTTP/1'],
  ];
  test.each(answers)('%s', async (_, answer, message) => {
    let closed = false;
    await using server = await listenRaw((socket) => {
      socket.once('data', (request) => socket.end(answer(String(request))));
      socket.on('close', () => {
        closed = true;
      });
    });
    await expect(open(server)).rejects.toThrow(message);
    await expect.poll(() => closed).toBe(true);
  });

  test('when the server chooses none of the subprotocols', async () => {
    await using server = await listenFrames(() => {});
    await expect(open(server, { protocols: ['a'] })).rejects.toThrow('none of the subprotocols');
  });

  test('before it is sent, when it is invalid', async () => {
    const connect = () => Promise.reject(new Error('connected'));
    for (const protocols of [['a b'], ['a', 'a'], ['']])
      await expect(openWebSocket(connect, 'ws://localhost/', { protocols })).rejects.toThrow('subprotocols');
    await expect(openWebSocket(connect, 'wss://localhost/')).rejects.toThrow('only http: URLs');
    const headers: [string, string][] = [['A', 'b\r\nC: d']];
    await expect(openWebSocket(connect, 'ws://localhost/', { headers })).rejects.toThrow('invalid value');
  });

  test('by the signal', async () => {
    let asked = false;
    await using server = await listenRaw((socket) => socket.once('data', () => (asked = true)));
    const controller = new AbortController();
    const opening = open(server, { signal: controller.signal });
    opening.catch(() => {});
    await expect.poll(() => asked).toBe(true);
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
  });
});

describe('a server that breaks the protocol is told the code, and left', () => {
  const masked = Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5]);
  const long = (length: bigint) => {
    const header = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeBigUInt64BE(length, 2);
    return header;
  };
  test.each<[string, Buffer, number, string]>([
    ['masked frames', masked, 1002, 'masked a frame'],
    ['reserved bits', frame(1, 'a', { reserved: 4 }), 1002, 'reserved bits'],
    ['an unknown kind', frame(3), 1002, 'unknown kind 3'],
    ['an unknown control frame', frame(11), 1002, 'unknown kind 11'],
    ['a fragmented ping', frame(9, '', { final: false }), 1002, 'control frame'],
    ['a long ping', frame(9, 'a'.repeat(126)), 1002, 'control frame'],
    ['a continuation of nothing', frame(0, 'a'), 1002, 'had not begun'],
    [
      'a message within another',
      Buffer.concat([frame(1, 'a', { final: false }), frame(1, 'b')]),
      1002,
      'within',
    ],
    ['a needlessly long length', Buffer.from([0x81, 126, 0, 1, 65]), 1002, 'more bytes than it needs'],
    ['a needlessly longer length', long(65535n), 1002, 'more bytes than it needs'],
    ['an enormous message', long(16n * 1024n * 1024n + 1n), 1009, 'more than 16 MiB'],
    ['an impossible message', long(0xffff_ffff_ffff_ffffn), 1009, 'more than 16 MiB'],
    ['invalid UTF-8', frame(1, Uint8Array.of(0xc3, 0x28)), 1007, 'not UTF-8'],
    ['a surrogate in UTF-8', frame(1, Uint8Array.of(0xed, 0xa0, 0x80)), 1007, 'not UTF-8'],
    ['a Close of one byte', frame(8, Uint8Array.of(3)), 1002, 'invalid status code'],
    ['a Close with 1005', frame(8, Uint8Array.of(3, 0xed)), 1002, 'invalid status code'],
    ['a Close with 999', frame(8, Uint8Array.of(3, 0xe7)), 1002, 'invalid status code'],
    ['a Close with 2000', frame(8, Uint8Array.of(7, 0xd0)), 1002, 'invalid status code'],
    ['a Close with invalid UTF-8', frame(8, Uint8Array.of(3, 0xe8, 0xff)), 1007, 'not UTF-8'],
  ])('%s', async (_, bytes, code, message) => {
    const received: Buffer[] = [];
    let closed = false;
    await using server = await listenFrames((socket) => {
      socket.on('data', (data) => received.push(data as Buffer));
      socket.on('end', () => {
        closed = true;
      });
      socket.write(bytes);
    });
    const socket = await open(server);
    await expect(readAll(socket)).rejects.toThrow(message);
    expect(await socket.closed).toEqual({ code: 1006, reason: '', wasClean: false });
    await expect.poll(() => closed).toBe(true);
    const [close, ...others] = framesOf(Buffer.concat(received));
    expect(close).toEqual({ opcode: 8, payload: Buffer.from([code >> 8, code & 0xff]) });
    expect(others).toEqual([]);
  });

  test('with fragments that together are too long', async () => {
    await using server = await listenFrames((socket) => {
      socket.write(frame(2, 'a', { final: false }));
      const part = frame(0, new Uint8Array(1024 * 1024), { final: false });
      for (let i = 0; i < 17; i++) socket.write(part);
    });
    await expect(readAll(await open(server))).rejects.toThrow('more than 16 MiB');
  });

  test('by leaving', async () => {
    await using server = await listenFrames((socket) => socket.end(frame(1, 'half').subarray(0, 3)));
    const socket = await open(server);
    await expect(readAll(socket)).rejects.toThrow('left without closing');
    expect(await socket.closed).toEqual({ code: 1006, reason: '', wasClean: false });
  });
});

function decode(pieces: readonly Uint8Array<ArrayBuffer>[]): Received[] {
  const decoder = new FrameDecoder();
  return pieces.flatMap((piece) => [...decoder.decode(piece)]);
}

test('pieces of any size give the same messages', () => {
  const stream = Buffer.concat([
    frame(1, 'hé', { final: false }),
    frame(9, 'ping'),
    frame(0, 'llo'),
    frame(2, 'x'.repeat(300)),
    frame(10, 'pong'),
    frame(2),
    frame(8, Uint8Array.of(3, 0xe8, 65)),
  ]);
  const bytes = new Uint8Array(stream);
  const whole = decode([bytes]);
  expect(whole).toEqual([
    { type: 'ping', payload: new TextEncoder().encode('ping') },
    { type: 'message', message: 'héllo' },
    { type: 'message', message: new TextEncoder().encode('x'.repeat(300)) },
    { type: 'message', message: new Uint8Array(0) },
    { type: 'close', close: { code: 1000, reason: 'A' } },
  ]);
  expect(decode([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      expect(decode(places.slice(1).map((place, i) => bytes.slice(places[i], place)))).toEqual(whole);
    }),
  );
});

test('random bytes give messages or an error of the protocol', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (pieces) => {
      try {
        decode(pieces.map((piece) => new Uint8Array(piece)));
      } catch (error) {
        expect(error).toMatchObject({ code: expect.any(Number), name: 'HttpError' });
      }
    }),
    { numRuns: 1000 },
  );
});
