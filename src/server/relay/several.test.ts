/** Two relays behind HAProxy, with the configuration of the example. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { formatAddress } from '../../network/address.ts';
import { offerProtocols } from '../../network/relay-protocol.ts';
import { listenRaw, type TestServer } from '../../network/testing/test-server.ts';
import { SERVER } from '../../network/testing/world.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { RelayClient, RelayDoor } from './testing/relay-server.ts';
import { TcpClient, until } from './testing/tcp-client.ts';

const HAPROXY = '/usr/sbin/haproxy';
const EXAMPLE = join(import.meta.dirname, '../../../examples/relay/haproxy.cfg');
const BODY = randomBytes(4 << 20);

let folder: string;
let haproxy: ChildProcess;
let relays: ChildRelay[];
let site: RelayDoor;
/** A server on the internet. */
let internet: TestServer;

async function freePort(): Promise<number> {
  await using server = await listenRaw(() => {});
  return server.port;
}

/** Starts HAProxy as the example does, on other ports. */
async function startHaproxy(): Promise<RelayDoor> {
  const port = await freePort();
  const ports: Record<string, number | undefined> = {
    8080: port,
    8081: relays[0]?.port,
    8082: relays[1]?.port,
  };
  const example = await readFile(EXAMPLE, 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const text = example.replace(/\blocalhost:(808\d)\b/g, (_, each) => `localhost:${ports[each]}`);
  await writeFile(file, text);
  haproxy = spawn(HAPROXY, ['-q', '-db', '-f', file], { stdio: 'inherit' });
  const door = new RelayDoor(port);
  const isUp = async () => expect((await door.requestToken()).status).toBe(200);
  await vi.waitFor(isUp, { timeout: 20_000, interval: 100 });
  return door;
}

const sessions = () => Promise.all(relays.map((relay) => relay.ask('sessions')));

async function download(client: RelayClient, sourcePort = 4000): Promise<boolean> {
  const { port } = internet;
  const connection = await TcpClient.connect(client, { address: SERVER, port, sourcePort });
  return (await connection.readAll()).equals(BODY);
}

describe.skipIf(!existsSync(HAPROXY))('several relays (skipped where haproxy is absent)', () => {
  beforeAll(async () => {
    internet = await listenRaw((socket) => socket.end(BODY));
    const options = {
      ...{ trustProxy: true, secret: randomBytes(32).toString('hex') },
      aliases: { [formatAddress(SERVER)]: '127.0.0.1' },
    };
    relays = await Promise.all([ChildRelay.start(options), ChildRelay.start(options)]);
    site = await startHaproxy();
  });

  afterAll(async () => {
    haproxy.kill('SIGKILL');
    for (const relay of relays) await relay.kill();
    await internet[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test('take tokens of each other, each of them once', async () => {
    const [one, two] = relays as [ChildRelay, ChildRelay];
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const protocols = offerProtocols(await one.token(headers));
    const client = await two.knock({ headers, protocols });
    expect(client).toBeInstanceOf(RelayClient);
    expect(await two.knock({ headers, protocols })).toMatchObject({ status: 403 });
    expect(await two.knock({ headers: { 'X-Forwarded-For': '192.0.2.2' }, protocols })).toMatchObject({
      status: 403,
    });
    (client as RelayClient).socket.terminate();
    await expect.poll(sessions).toEqual([0, 0]);
  });

  test('one is killed under load, and its client goes on with the other', async () => {
    const clients = await Promise.all([site.connect(), site.connect()]);
    await expect.poll(sessions).toEqual([1, 1]);
    const downloads = clients.map((client) => download(client));
    await until(() => clients.every(({ received }) => received > 0));
    await relays[0]?.kill();
    const lost = await Promise.race(clients.map((client) => client.closed.then(() => client)));
    const begin = performance.now();
    // HAProxy may only just be noticing, and closes the connection then. Clients of ours try again, too.
    const next = await vi.waitFor(() => site.connect(), { timeout: 20_000, interval: 100 });
    expect(await download(next)).toBe(true);
    expect(performance.now() - begin).toBeLessThan(5000);
    // The other client has noticed nothing.
    expect(await downloads[clients.findIndex((client) => client !== lost)]).toBe(true);
    void downloads[clients.indexOf(lost)]?.catch(() => {});
    expect(await relays[1]?.ask('sessions')).toBe(2);
    // Everybody counts at the one that is left.
    expect((await site.requestToken()).status).toBe(429);
  });
});
