import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../machine/machine.ts';
import type { Container } from './container.ts';
import { DEMO_IMAGES, pull, start } from './testing/run.ts';

const TIMEOUT = 120_000;
const SIZE = 20 << 20;
const PARALLEL = 8;
/** Ports of servers, and one without. */
const [DIGEST, ECHO, WEB, WEB6, RUDE, NEVER, CLOSED] = [8001, 8002, 8003, 8004, 8005, 8006, 8007];
/** BusyBox's `nc -ll` serves each connection with a program of its own; the others do not accept any. */
const SERVERS = `
  mkdir /www; echo page > /www/index.html
  nc -ll -p ${DIGEST} -e sha256sum &
  nc -ll -p ${ECHO} -e cat &
  nc -ll -p ${RUDE} -e sh -c 'echo begun; sleep 1' &
  nc -ll -p ${NEVER} -e sleep 1000 &
  httpd -p 127.0.0.1:${WEB} -h /www; httpd -p '[::1]:${WEB6}' -h /www
  echo ready; exec sleep 1000`;

const content = Buffer.from(
  Uint32Array.from({ length: SIZE / 4 }, (_, i) => Math.imul(i, 2654435761)).buffer,
);
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const DIGEST_OF_CONTENT = digestOf(content);

let container: Container;

beforeAll(async () => {
  const image = pull(`${DEMO_IMAGES}:busybox`);
  container = await start({ image, args: ['sh', '-c', SERVERS] });
  const reader = container.stdout.getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('ready\n');
}, TIMEOUT);
afterAll(() => container?.destroy());

async function bytes(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

/** Sends everything, ends that direction, and returns the answer. */
async function exchange({ readable, writable }: Connection, request: Uint8Array): Promise<Buffer> {
  const writer = writable.getWriter();
  const sent = writer.write(request).then(() => writer.close());
  const [answer] = await Promise.all([bytes(readable), sent]);
  return answer;
}

/** Connects as soon as the server listens. */
async function connect(port: number): Promise<Connection> {
  return container.connect(port).catch((error) => {
    if (error.code !== 'ECONNREFUSED') throw error;
    return new Promise<Connection>((resolve) => setTimeout(() => resolve(connect(port)), 20));
  });
}

describe('a connection into a container', { timeout: TIMEOUT }, () => {
  test('carries bytes both ways, also after one direction has ended', async () => {
    expect(`${await exchange(await connect(DIGEST), content)}`).toBe(`${DIGEST_OF_CONTENT}  -\n`);
    expect(digestOf(await exchange(await connect(ECHO), content))).toBe(DIGEST_OF_CONTENT);
  });

  test.each([
    ['on 127.0.0.1', WEB],
    ['on ::1', WEB6],
  ])('reaches servers that listen %s only', async (_, port) => {
    const request = Buffer.from('GET / HTTP/1.0\r\n\r\n');
    const answer = `${await exchange(await connect(port), request)}`;
    expect(answer).toMatch(/^HTTP\/1\.[01] 200 OK\r\n.*\r\n\r\npage\n$/s);
  });

  test('is refused where nobody listens, and where there is no port', async () => {
    await expect(container.connect(CLOSED)).rejects.toMatchObject({
      name: 'ConnectError',
      code: 'ECONNREFUSED',
      message: `port ${CLOSED}: connection refused`,
    });
    for (const port of [0, -1, 65_536, 1.5, Number.NaN])
      await expect(container.connect(port)).rejects.toThrow(RangeError);
  });

  test('is one of many, each with its own bytes', async () => {
    const all = await Promise.all(
      Array.from({ length: PARALLEL }, async (_, index) => {
        const own = content.subarray(index);
        return digestOf(await exchange(await connect(ECHO), own)) === digestOf(own);
      }),
    );
    expect(all).toEqual(Array(PARALLEL).fill(true));
  });
});
