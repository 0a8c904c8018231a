import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { TcpEvents } from './host.ts';
import { nodeHost, pingCommand } from './node-host.ts';
import { listenRaw } from './testing/test-server.ts';

const LOOPBACK = '127.0.0.1';
const closers: (() => unknown)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = await listenRaw(serve);
  closers.push(() => server[Symbol.asyncDispose]());
  return server.port;
}

async function listenUdp(answer: (data: Buffer) => Uint8Array | undefined, port = 0): Promise<number> {
  const socket = createSocket('udp4');
  closers.push(() => socket.close());
  socket.on('message', (data, { port }) => {
    const reply = answer(data);
    if (reply) socket.send(reply, port, LOOPBACK);
  });
  await once(socket.bind(port, LOOPBACK), 'listening');
  return socket.address().port;
}

/** Notes what a connection tells. */
function recorder(): { log: string[]; events: TcpEvents } {
  const log: string[] = [];
  return {
    log,
    events: {
      connected: () => log.push('connected'),
      received: (bytes) => log.push(Buffer.from(bytes).toString()),
      ended: () => log.push('ended'),
      sent: () => {},
      failed: (reason) => log.push(reason),
    },
  };
}

describe('TCP', () => {
  test('ends each direction by itself', async () => {
    const port = await listen((socket) => {
      socket.on('data', (data) => socket.write(`got ${data}`));
      socket.on('end', () => socket.end('bye'));
    });
    const { log, events } = recorder();
    const socket = nodeHost().connect(LOOPBACK, port, events);
    socket.write(Buffer.from('hello'));
    await expect.poll(() => log).toEqual(['connected', 'got hello']);
    socket.end();
    await expect.poll(() => log).toEqual(['connected', 'got hello', 'bye', 'ended']);
    expect(socket.waiting).toBe(0);
  });

  test('sends all in order when the other end is slow, and ends after it', async () => {
    const received: Buffer[] = [];
    let hasEnded = false;
    let peer: Socket | undefined;
    const port = await listen((socket) => {
      peer = socket.pause();
      socket.on('data', (data) => received.push(data));
      socket.on('end', () => {
        hasEnded = true;
      });
    });
    const { log, events } = recorder();
    const socket = nodeHost().connect(LOOPBACK, port, events);
    await expect.poll(() => log).toEqual(['connected']);
    // More than the system takes, then single bytes, and a small part of something large.
    const pieces = Array.from({ length: 100 }, (_, index) => new Uint8Array(200_000).fill(index));
    for (let index = 0; index < 5000; index++) pieces.push(Uint8Array.of(index));
    pieces.push(new Uint8Array(100_000).fill(7).subarray(1000, 6000));
    for (const bytes of pieces) socket.write(bytes);
    expect(socket.waiting).toBeGreaterThan(5000);
    socket.end();
    await expect.poll(() => peer).toBeDefined();
    peer?.resume();
    await expect.poll(() => hasEnded, { timeout: 20_000 }).toBe(true);
    expect(Buffer.concat(received).equals(Buffer.concat(pieces))).toBe(true);
    expect(socket.waiting).toBe(0);
  });

  test('single bytes that wait take little memory', async () => {
    const port = await listen((socket) => socket.pause());
    const { log, events } = recorder();
    const socket = nodeHost().connect(LOOPBACK, port, events);
    await expect.poll(() => log).toEqual(['connected']);
    // More than the system takes.
    socket.write(new Uint8Array(32 << 20));
    const byte = Uint8Array.of(1);
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 200_000; count++) socket.write(byte);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 << 20);
    socket.abort();
  });

  test('reads no more than a little of data that nobody takes', async () => {
    let taken = 0;
    const port = await listen((socket) => {
      socket.write(new Uint8Array(1 << 20));
    });
    const { events } = recorder();
    const socket = nodeHost().connect(LOOPBACK, port, {
      ...events,
      received: (bytes) => {
        taken += bytes.length;
        socket.pause();
      },
    });
    await expect.poll(() => taken).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(taken).toBeLessThanOrEqual(8 << 10);
    for (let seen = 0; seen < 1 << 20; seen = taken) {
      socket.resume();
      await expect.poll(() => taken).toBeGreaterThan(seen);
    }
  });

  test('tells that nobody listens, and that the other end has reset', async () => {
    const port = await listen((socket) => socket.resetAndDestroy());
    const reset = recorder();
    nodeHost().connect(LOOPBACK, port, reset.events);
    await expect.poll(() => reset.log.at(-1)).toBe('reset');
    await closeAll();
    const refused = recorder();
    nodeHost().connect(LOOPBACK, port, refused.events);
    await expect.poll(() => refused.log).toEqual(['refused']);
  });

  test('an attempt to connect that is aborted ends at once', async () => {
    let accepted = 0;
    const port = await listen(() => accepted++);
    const { log, events } = recorder();
    const host = nodeHost();
    host.connect(LOOPBACK, port, events).abort();
    const next = recorder();
    host.connect(LOOPBACK, port, next.events);
    await expect.poll(() => [next.log, accepted > 0]).toEqual([['connected'], true]);
    expect([log, accepted]).toEqual([[], 1]);
  });

  test('an aborted connection is reset', async () => {
    let failure = '';
    const port = await listen((socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        failure = error.code ?? '';
      });
    });
    const { log, events } = recorder();
    const socket = nodeHost().connect(LOOPBACK, port, events);
    await expect.poll(() => log).toEqual(['connected']);
    socket.abort();
    await expect.poll(() => failure).toBe('ECONNRESET');
  });
});

describe('UDP', () => {
  test('exchanges datagrams with one address only', async () => {
    const ports: number[] = [];
    const echo = createSocket('udp4');
    closers.push(() => echo.close());
    const stranger = createSocket('udp4');
    closers.push(() => stranger.close());
    echo.on('message', (data, { port }) => {
      ports.push(port);
      stranger.send('forged', port, LOOPBACK, () => echo.send(data, port, LOOPBACK));
    });
    await once(echo.bind(0, LOOPBACK), 'listening');
    const received: string[] = [];
    const socket = nodeHost().openUdp(LOOPBACK, echo.address().port, {
      received: (data) => received.push(Buffer.from(data).toString()),
      refused: () => received.push('refused'),
    });
    socket.send(Buffer.from('one'));
    await expect.poll(() => received).toEqual(['one']);
    socket.send(Buffer.from('two'));
    await expect.poll(() => received).toEqual(['one', 'two']);
    expect(new Set(ports).size).toBe(1);
    socket.close();
    socket.close();
    socket.send(Buffer.from('late'));
  });

  test.runIf(nodeHost().ownAddresses().includes('::1'))('exchanges datagrams by IPv6', async () => {
    const echo = createSocket('udp6');
    closers.push(() => echo.close());
    echo.on('message', (data, { port }) => echo.send(data, port, '::1'));
    await once(echo.bind(0, '::1'), 'listening');
    const received: string[] = [];
    const socket = nodeHost().openUdp('::1', echo.address().port, {
      received: (data) => received.push(Buffer.from(data).toString()),
      refused: () => received.push('refused'),
    });
    socket.send(Buffer.from('one'));
    await expect.poll(() => received).toEqual(['one']);
    socket.close();
  });

  test('can be closed before it is ready', async () => {
    const socket = nodeHost().openUdp(LOOPBACK, 9, { received: () => {}, refused: () => {} });
    socket.send(Buffer.from('never'));
    socket.close();
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('tells that nobody listens', async () => {
    const closed = createSocket('udp4');
    await once(closed.bind(0, LOOPBACK), 'listening');
    const { port } = closed.address();
    closed.close();
    let refused = 0;
    const socket = nodeHost().openUdp(LOOPBACK, port, {
      received: () => {},
      refused: () => refused++,
    });
    await expect
      .poll(() => {
        socket.send(Buffer.from('x'));
        return refused;
      })
      .toBeGreaterThan(0);
    socket.close();
  });
});

describe('queries', () => {
  const QUERY = Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  const answer = (flags: number, text = '') =>
    Buffer.concat([Buffer.from([1, 2, flags, 0]), Buffer.alloc(8), Buffer.from(text)]);

  test('are answered', async () => {
    const port = await listenUdp(() => answer(0x80, 'right'));
    const result = await nodeHost([`${LOOPBACK}:${port}`]).query(QUERY);
    expect(Buffer.from(result).toString('latin1')).toContain('right');
  });

  test('whose answer is too long are asked again over TCP', async () => {
    // Few ports are taken for UDP, but many for TCP.
    const port = await listen((socket) => {
      socket.on('data', (data) => {
        expect(data.subarray(2)).toEqual(QUERY);
        const whole = answer(0x80, 'long');
        const framed = Buffer.concat([Buffer.from([0, whole.length]), whole]);
        socket.write(framed.subarray(0, 1));
        socket.end(framed.subarray(1));
      });
    });
    await listenUdp(() => answer(0x82, 'short'), port);
    const result = await nodeHost([`${LOOPBACK}:${port}`]).query(QUERY);
    expect(Buffer.from(result).toString('latin1')).toContain('long');
  });

  test('go to the next server if the first does not work, and fail without one', async () => {
    const port = await listenUdp(() => answer(0x80, 'second'));
    const closed = await listenUdp(() => undefined);
    closers.splice(1, 1)[0]?.();
    const result = await nodeHost([`${LOOPBACK}:${closed}`, `${LOOPBACK}:${port}`]).query(QUERY);
    expect(Buffer.from(result).toString('latin1')).toContain('second');
    await expect(nodeHost([]).query(QUERY)).rejects.toThrow('no name server');
  });
});

describe('echo', () => {
  const path = process.env.PATH;
  const folder = mkdtempSync(join(tmpdir(), 'linuxrun-ping-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    process.env.PATH = path;
  });

  test.each([
    ['an answer', 'test "$5" = 192.0.2.7 || exit 2', true],
    ['no answer', 'exit 1', false],
    ['ping that may not ask', 'exit 2', undefined],
    ['no ping', undefined, undefined],
  ])('by ping: %s', async (_, script, isAnswered) => {
    const program = join(folder, 'ping');
    rmSync(program, { force: true });
    if (script) writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env.PATH = folder;
    expect(await nodeHost().echo('192.0.2.7')).toBe(isAnswered);
  });

  test('by ping, of an IPv6 address', async () => {
    writeFileSync(join(folder, 'ping'), '#!/bin/sh\ntest "$1 $6" = "-6 2001:db8::7"\n', { mode: 0o755 });
    process.env.PATH = folder;
    expect(await nodeHost().echo('2001:db8::7')).toBe(true);
  });
});

test('its own addresses are those of its interfaces', () => {
  expect(nodeHost().ownAddresses()).toContain(LOOPBACK);
});

test.each([
  ['linux', '192.0.2.1', 'ping -n -q -c 1 192.0.2.1'],
  ['linux', '2001:db8::1', 'ping -6 -n -q -c 1 2001:db8::1'],
  ['darwin', '192.0.2.1', 'ping -n -q -c 1 192.0.2.1'],
  ['darwin', '2001:db8::1', 'ping6 -n -q -c 1 2001:db8::1'],
  ['win32', '192.0.2.1', 'ping -4 -n 1 192.0.2.1'],
  ['win32', '2001:db8::1', 'ping -6 -n 1 2001:db8::1'],
] as const)('%s pings %s with %s', (platform, address, command) => {
  expect(pingCommand(platform, address).join(' ')).toBe(command);
});
