import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../scripts/setup/initramfs.mjs';
import type { Connection, PortChange } from '../machine/machine.ts';
import { OptionError } from '../options/option-error.mjs';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const SIZE = 20 << 20;
const PARALLEL = 4;
/** Of small connections at once. */
const MANY = 300;
/** What a container may have. */
const MOST = 512;
/** Ports of servers, and one without. */
const [DIGEST, ECHO, WEB, WEB6, RUDE, FLOOD, DEAF, FULL, ELSEWHERE, CLOSED] = [
  8001, 8002, 8003, 8004, 8005, 8006, 8007, 8008, 8009, 8010,
] as const;
const SERVERS = `
  read begin
  mkdir /www; echo page > /www/index.html
  listener ${DIGEST} 100 /bin/sha256sum &
  listener ${ECHO} 1000 /bin/cat &
  listener ${RUDE} 100 /bin/sh -c 'echo begun; sleep 1' &
  listener ${FLOOD} 100 /bin/yes &
  listener ${DEAF} 1000 &
  listener ${FULL} 0 &
  httpd -p 127.0.0.1:${WEB} -h /www
  httpd -p '[::1]:${WEB6}' -h /www
  httpd -p 127.0.0.2:${ELSEWHERE} -h /www
  sleep 100000`;
const LISTENING = [DIGEST, ECHO, WEB, WEB6, RUDE, FLOOD, DEAF, FULL];

const content = Buffer.from(
  Uint32Array.from({ length: SIZE / 4 }, (_, i) => Math.imul(i, 2654435761)).buffer,
);
/** Bytes that the server of a flood has not got rid of yet, as `netstat` tells. */
const QUEUE = new RegExp(`^tcp +\\d+ +(\\d+) \\S+:${FLOOD} `, 'gm');
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-connect-'));
let listener: Uint8Array<ArrayBuffer>;
let container: ContainerMachine;

beforeAll(async () => {
  const program = join(folder, 'listener');
  await compileForGuest(join(import.meta.dirname, '../../kernel/init'), ['test/listener.c'], program);
  container = await start({ image: pull(`${DEMO_IMAGES}:busybox`), args: ['sh', '-c', SERVERS] });
  listener = new Uint8Array(readFileSync(program));
  await container.files.writeFile('/bin/listener', listener, { mode: 0o755 });
  await container.stdin.getWriter().write(Buffer.from('begin\n'));
  await untilPorts(container.ports, (open) => LISTENING.every((port) => open.has(port)));
}, TIMEOUT);
afterAll(async () => {
  await container?.destroy();
  rmSync(folder, { recursive: true });
});

async function bytes(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Follows changes until the open ports are as expected. */
async function untilPorts(
  ports: ReadableStream<PortChange>,
  isExpected: (open: ReadonlySet<number>) => boolean,
): Promise<number[]> {
  const reader = ports.getReader();
  const open = new Set<number>();
  while (!isExpected(open)) {
    const { value } = await reader.read();
    if (!value) throw new Error(`they ended as ${[...open]}`);
    // A change is always one.
    expect(open.has(value.port)).toBe(!value.open);
    if (value.open) open.add(value.port);
    else open.delete(value.port);
  }
  await reader.cancel();
  return [...open].sort();
}

/** Sends everything, ends that direction, and returns the answer. */
async function exchange({ readable, writable }: Connection, request: Uint8Array): Promise<Buffer> {
  const writer = writable.getWriter();
  const sent = writer.write(request).then(() => writer.close());
  const [answer] = await Promise.all([bytes(readable), sent]);
  return answer;
}

const echo = async (words: string) => `${await exchange(await container.connect(ECHO), Buffer.from(words))}`;

/** `open`, or why it is not. */
async function outcomeOf(connecting: Promise<Connection>): Promise<string> {
  return connecting.then(
    () => 'open',
    (error) => error.code ?? error,
  );
}

describe('a connection into a container', { timeout: TIMEOUT }, () => {
  test('carries bytes both ways, also after one direction has ended', async () => {
    // The server answers after the end.
    const part = content.subarray(0, 2 << 20);
    expect(`${await exchange(await container.connect(DIGEST), part)}`).toBe(`${digestOf(part)}  -\n`);
  });

  test.each([
    ['on 127.0.0.1', WEB],
    ['on ::1', WEB6],
  ])('reaches servers that listen %s only', async (_, port) => {
    const request = Buffer.from('GET / HTTP/1.0\r\n\r\n');
    const answer = `${await exchange(await container.connect(port), request)}`;
    expect(answer).toMatch(/^HTTP\/1\.[01] 200 OK\r\n.*\r\n\r\npage\n$/s);
  });

  test('is refused where nobody listens, and where there is no port', async () => {
    await expect(container.connect(CLOSED)).rejects.toMatchObject({
      name: 'ConnectError',
      code: 'ECONNREFUSED',
      message: `port ${CLOSED}: connection refused`,
    });
    for (const port of [0, -1, 65_536, 1.5, Number.NaN])
      await expect(container.connect(port)).rejects.toThrow(OptionError);
  });

  test('is one of several, each with its own bytes', async () => {
    const all = Array.from({ length: PARALLEL }, async (_, index) => {
      const own = content.subarray(index);
      return digestOf(await exchange(await container.connect(ECHO), own)) === digestOf(own);
    });
    expect(await Promise.all(all)).toEqual(Array(PARALLEL).fill(true));
  });

  test('is one of many', async () => {
    const words = Array.from({ length: MANY }, (_, index) => `words ${index}`);
    expect(await Promise.all(words.map(echo))).toEqual(words);
  });

  test('fails when the server resets it, after what the server had sent', async () => {
    const { readable, writable } = await container.connect(RUDE);
    const writer = writable.getWriter();
    await writer.write(Buffer.from('nobody reads this'));
    const reader = readable.getReader();
    expect(`${Buffer.from((await reader.read()).value ?? [])}`).toBe('begun\n');
    await expect(reader.read()).rejects.toThrow('the server reset the connection');
    await expect(writer.write(content).then(() => writer.write(content))).rejects.toThrow();
  });

  test('waits for a server that does not read, and for a client that does not, without hindering others', async () => {
    const deaf = await container.connect(DEAF);
    const flood = await container.connect(FLOOD);
    const writer = deaf.writable.getWriter();
    let sent = 0;
    const sending = (async () => {
      for (;;) {
        await writer.write(content.subarray(0, 1 << 16));
        sent += 1 << 16;
      }
    })();
    // More than all buffers on the way would make it go on.
    let before = -1;
    while (before !== sent) {
      before = sent;
      expect(await echo('still here')).toBe('still here');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    expect(sent).toBeLessThan(SIZE);
    await writer.abort('enough');
    await expect(sending).rejects.toBeDefined();
    await expect(deaf.readable.getReader().read()).rejects.toThrow();
    // The flood's server gets RST, so its writer ends.
    await flood.readable.cancel();
    const writers = async () => {
      const processes = await text(container.exec({ args: ['ps', '-o', 'stat,comm'] }).stdout);
      return processes.match(/^[^Z].*yes$/m);
    };
    await expect.poll(writers, { timeout: TIMEOUT }).toBe(null);
  });

  test('is given up by a signal, also while a server does not accept it', async () => {
    await expect(container.connect(ECHO, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    const early = new AbortController();
    const connecting = container.connect(ECHO, { signal: early.signal });
    early.abort('early');
    await expect(connecting).rejects.toBe('early');
    // Its kernel has room for one that nobody accepts.
    const first = await container.connect(FULL);
    const late = Array.from({ length: MOST + 1 }, () => new AbortController());
    const waiting = late.map(({ signal }) => outcomeOf(container.connect(FULL, { signal })));
    expect(await Promise.race(waiting)).toBe('EMFILE');
    for (const controller of late) controller.abort('late');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['late', 'EMFILE']));
    await first.writable.abort();
    expect(await echo('again')).toBe('again');
  });

  test('is refused beyond the number that a container may have, until others end', async () => {
    const all = await Promise.allSettled(Array.from({ length: MOST + 8 }, () => container.connect(DEAF)));
    const open = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const reasons = all.flatMap((result) => (result.status === 'rejected' ? [result.reason.message] : []));
    expect(open).toHaveLength(MOST);
    expect(new Set(reasons)).toEqual(
      new Set([`port ${DEAF}: the container has as many connections as it may have`]),
    );
    await Promise.all(open.map(({ writable }) => writable.abort()));
    await expect.poll(() => echo('room').catch(() => ''), { timeout: TIMEOUT }).toBe('room');
  });

  test('has a process that those of the container cannot see', async () => {
    const processes = await text(container.exec({ args: ['ps', '-o', 'comm'] }).stdout);
    expect(processes).not.toContain('init');
  });
});

describe('the ports of a container', { timeout: TIMEOUT }, () => {
  test('are those that can be reached, once each', async () => {
    const expected = LISTENING.toSorted();
    expect(await untilPorts(container.ports, (open) => open.size === expected.length)).toEqual(expected);
  });

  test('change with the servers', async () => {
    const [ports, others] = [container.ports, container.ports];
    const server = container.exec({ args: ['nc', '-l', '-p', '9000'] });
    await untilPorts(ports, (open) => open.has(9000));
    server.kill(9);
    // Another watcher, which has not looked yet, hears of no port that has come and gone.
    const late = await untilPorts(container.ports, (open) => open.has(ECHO) && !open.has(9000));
    expect(late).not.toContain(9000);
    await server.exit;
    await untilPorts(others, (open) => open.size === LISTENING.length);
  });
});

test('a small machine survives as many servers that do not read as it may have', {
  timeout: TIMEOUT,
}, async () => {
  const small = await start({
    image: pull(`${DEMO_IMAGES}:busybox`),
    args: ['sh', '-c', 'read begin; listener 80 1000'],
    memoryBytes: 64 << 20,
  });
  await small.files.writeFile('/bin/listener', listener, { mode: 0o755 });
  await small.stdin.getWriter().write(Buffer.from('begin\n'));
  await untilPorts(small.ports, (open) => open.has(80));
  const all = await Promise.all(Array.from({ length: MOST }, () => small.connect(80)));
  let sent = 0;
  for (const { writable } of all) {
    const writer = writable.getWriter();
    const send = async () => {
      for (;;) {
        await writer.write(content.subarray(0, 1 << 16));
        sent++;
      }
    };
    send().catch(() => {});
  }
  for (let before = -1; before !== sent; await new Promise((resolve) => setTimeout(resolve, 1000)))
    before = sent;
  // Linux gives some of it back later.
  await expect.poll(async () => (await small.usage()).memory.availableBytes).toBeGreaterThan(8 << 20);
  await small.destroy();
});

describe('the end of a container', { timeout: TIMEOUT }, () => {
  test('is the end of its connections and ports', async () => {
    const reading = await container.connect(ECHO);
    const [deaf, flood] = [await container.connect(DEAF), await container.connect(FLOOD)];
    const writer = deaf.writable.getWriter();
    const writing = (async () => {
      for (;;) await writer.write(content);
    })();
    const ports = container.ports.getReader();
    // The flood fills all buffers as far as the server's own.
    const queues = async () => {
      const sockets = await text(container.exec({ args: ['netstat', '-tn'] }).stdout);
      return Math.max(...[...sockets.matchAll(QUEUE)].map(([, bytes]) => Number(bytes)));
    };
    await expect.poll(queues, { timeout: TIMEOUT }).toBeGreaterThan(100_000);
    container.kill(9);
    await expect(writing).rejects.toThrow();
    await bytes(reading.readable).catch(() => {});
    // Although nobody reads what the flood's server has sent.
    for (let next = await ports.read(); !next.done; next = await ports.read());
    await expect(bytes(flood.readable)).rejects.toThrow('reset');
    expect(await container.exit).toBe(137);
    await expect(container.connect(ECHO)).rejects.toMatchObject({ name: 'ConnectError', code: 'ESRCH' });
  });

  test('of a machine, too', async () => {
    const connecting = expect(container.connect(ECHO)).rejects.toThrow();
    await container.destroy();
    await connecting;
    await expect(container.connect(ECHO)).rejects.toMatchObject({ name: 'MachineError' });
  });
});
