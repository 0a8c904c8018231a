import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';
import { bundle, commandOf } from '../../scripts/setup/bundle.mjs';
import { ensure } from '../../scripts/setup/step.mjs';
import type { Connectable } from '../api/host.ts';
import { Publisher } from '../api/publisher.ts';
import type { Connection } from '../machine/machine.ts';
import { parsePort } from '../options/published-ports.mjs';
import { PUBLIC } from './program.ts';
import { readFlags, readOptions } from './run-options.mjs';

const TIMEOUT = 120_000;
/** Clients of a port. */
const MOST = 512;
const content = Buffer.alloc(
  20 << 20,
  Uint8Array.from({ length: 251 }, (_, index) => index),
);
const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Returns what arrives until the end. */
async function received(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket.iterator({ destroyOnReturn: false })) parts.push(part);
  return Buffer.concat(parts);
}

const client = (port: number, host = '127.0.0.1') => dial({ port, host, allowHalfOpen: true });

/** The error with which a socket ends, or what it has received. */
const outcomeOf = (socket: Socket) =>
  received(socket).then(
    (bytes) => `${bytes}`,
    (error) => error.code as string,
  );

/** The server's side of a connection into a container. */
interface Served {
  readonly port: number;
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
}

/** A container in which every port but 1 is open. */
function fakeContainer(serve: (served: Served) => void): Connectable {
  const connect = async (port: number): Promise<Connection> => {
    if (port === 1) throw new Error('refused');
    const [up, down] = [new TransformStream(), new TransformStream()];
    serve({ port, input: up.readable, output: down.writable });
    return { readable: down.readable, writable: up.writable };
  };
  return { connect } as unknown as Connectable;
}

/** Publishes a port, and returns the one that was taken for it. */
async function publish(publisher: Publisher, port = 80): Promise<number> {
  await publisher.listen(parsePort(`0:${port}`));
  const published = publisher.ports.at(-1);
  expect(published).toMatchObject({ address: '127.0.0.1', container: port });
  return published?.host ?? 0;
}

describe('a published port', () => {
  test('carries bytes both ways, each to its end', async () => {
    const publisher = new Publisher();
    const port = await publish(publisher, 8000);
    const ports: number[] = [];
    publisher.serve(
      fakeContainer(async ({ port, input, output }) => {
        ports.push(port);
        const answer = digestOf(Buffer.from(await new Response(input as ReadableStream).arrayBuffer()));
        const writer = output.getWriter();
        await writer.write(Buffer.from(answer));
        await writer.close();
      }),
    );
    const socket = client(port);
    socket.end(content);
    expect(`${await received(socket)}`).toBe(digestOf(content));
    expect(ports).toEqual([8000]);
    await publisher.end();
    expect(await outcomeOf(client(port))).toBe('ECONNREFUSED');
  });

  test('resets connections before there is a container, and when it refuses', async () => {
    const publisher = new Publisher();
    const [open, closed] = [await publish(publisher), await publish(publisher, 1)];
    expect(await outcomeOf(client(open))).toBe('ECONNRESET');
    publisher.serve(fakeContainer(({ output }) => void output.close()));
    const socket = client(open);
    expect(await outcomeOf(socket)).toBe('');
    socket.end();
    expect(await outcomeOf(client(closed))).toBe('ECONNRESET');
    await publisher.end();
  });

  test('passes resets on, in both directions', async () => {
    const publisher = new Publisher();
    const port = await publish(publisher);
    const all: Served[] = [];
    publisher.serve(fakeContainer((served) => void all.push(served)));
    const served = async () => {
      await expect.poll(() => all.length).toBe(1);
      return all.pop() as Served;
    };
    const reset = client(port);
    await (await served()).output.abort('gone');
    expect(await outcomeOf(reset)).toBe('ECONNRESET');

    const resetting = client(port);
    const { input } = await served();
    resetting.resetAndDestroy();
    await expect(input.getReader().read()).rejects.toBeDefined();

    // It has said all that it has to say, but does not wait for the answer.
    const impatient = client(port);
    const { input: ended, output } = await served();
    impatient.end();
    expect(await ended.getReader().read()).toMatchObject({ done: true });
    impatient.resetAndDestroy();
    const writer = output.getWriter();
    const answering = (async () => {
      for (;;) await writer.write(content.subarray(0, 1 << 16));
    })();
    await expect(answering).rejects.toBeUndefined();
    await publisher.end();
  });

  test('ends with the container, after what the container has sent', async () => {
    const publisher = new Publisher();
    const port = await publish(publisher);
    let served: Served | undefined;
    publisher.serve(
      fakeContainer((each) => {
        served = each;
      }),
    );
    const [socket, silent] = [client(port), client(port)];
    const both = [outcomeOf(socket), outcomeOf(silent)];
    await expect.poll(() => served).toBeDefined();
    await publisher.end();
    expect(await Promise.all(both)).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  test('admits a number of clients, and closes more at once', async () => {
    const publisher = new Publisher();
    const port = await publish(publisher);
    let served = 0;
    publisher.serve(fakeContainer(() => served++));
    const clients = Array.from({ length: MOST }, () => client(port));
    const ends = clients.map(outcomeOf);
    await expect.poll(() => served).toBe(MOST);
    expect(await outcomeOf(client(port))).toMatch(/^$|ECONNRESET/);
    expect(served).toBe(MOST);
    for (const socket of clients) socket.resetAndDestroy();
    await Promise.all([...ends, publisher.end()]);
  });

  test('is refused with a reason when it cannot be taken', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as { port: number };
    const listen = (text: string) => new Publisher().listen(parsePort(text));
    await expect(listen(`${port}:80`)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program has this port`,
    );
    await expect(listen('203.0.113.1:0:80')).rejects.toThrow('this machine has no such address');
    other.close();
  });

  test('is given by flags and by a variable', () => {
    const ports = ['8080:80', '127.0.0.1:1-2:3-4/tcp', '[::1]:0:5'];
    expect(readFlags(['-p', '8080:80', '--publish', '127.0.0.1:1-2:3-4/tcp', '-p[::1]:0:5']).ports).toEqual(
      ports.flatMap(parsePort),
    );
    expect(readOptions({ LINUXRUN_PORTS: ports.join() }, '/').ports).toEqual(ports.flatMap(parsePort));
    expect(readOptions({}, '/').ports).toEqual([]);
    expect(() => readFlags(['-p', '53:53/udp'])).toThrow('only TCP ports can be published');
    expect(() => readOptions({ LINUXRUN_PORTS: '80' }, '/')).toThrow('LINUXRUN_PORTS: "80" is no');
  });
});

describe('linuxrun -p', { timeout: TIMEOUT }, () => {
  const cache = mkdtempSync(join(tmpdir(), 'linuxrun-publish-'));
  afterAll(() => rmSync(cache, { recursive: true, force: true }));

  test('leads to a server that listens locally, without a network', async () => {
    const script = `read go; httpd -p 127.0.0.1:80 -h /; nc -ll -p 81 -e cat & echo up; read stop; exit 7`;
    const env = {
      ...process.env,
      XDG_CACHE_HOME: cache,
      LINUXRUN_IMAGE: `oci://${PUBLIC}images:busybox`,
      LINUXRUN_ENTRYPOINT: `sh -c '${script}'`,
      LINUXRUN_NETWORK: 'none',
      LINUXRUN_PORTS: '0:81',
    };
    await ensure(bundle);
    const command = [commandOf('run'), '-p', '0:80'];
    const child = spawn(process.execPath, command, { env });
    const [out, errors] = [child.stdout, child.stderr].map((input) =>
      createInterface({ input })[Symbol.asyncIterator](),
    ) as [NodeJS.AsyncIterator<string>, NodeJS.AsyncIterator<string>];
    const ports = new Map<string, number>();
    while (ports.size < 2) {
      const [, host, port] = /:(\d+) leads to port (\d+)$/.exec((await errors.next()).value ?? '') ?? [];
      ports.set(port as string, Number(host));
    }
    const connect = (port: string) => client(ports.get(port) as number);
    expect(await outcomeOf(connect('80'))).toBe('ECONNRESET');
    child.stdin.write('go\n');
    expect((await out.next()).value).toBe('up');

    const page = connect('80');
    page.write('GET /nothing HTTP/1.0\r\n\r\n');
    expect(`${await received(page)}`).toMatch(/^HTTP\/1\.[01] 404 /);
    const echoed = connect('81');
    const part = content.subarray(0, 4 << 20);
    echoed.end(part);
    expect(digestOf(await received(echoed))).toBe(digestOf(part));

    const open = connect('81');
    open.write('still open');
    await once(open, 'data');
    child.stdin.write('stop\n');
    const [[status]] = await Promise.all([once(child, 'exit'), outcomeOf(open)]);
    expect(status).toBe(7);
  });
});
