import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findContainer, listContainers } from './client.ts';
import { openOwner } from './owner.ts';
import { Sockets } from './sockets.ts';

let runtime: string;

beforeEach(() => {
  runtime = mkdtempSync(join(tmpdir(), 'linuxrun-sockets-'));
});
afterEach(() => rmSync(runtime, { recursive: true, force: true }));

const folder = () => join(runtime, 'linuxrun');
const env = () => ({ XDG_RUNTIME_DIR: runtime });

/** Leaves a socket behind, as an owner that is killed does. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.new`);
  await once(server, 'listening');
  // Closing removes the name under which it was made.
  linkSync(`${path}.new`, path);
  server.close();
  await once(server, 'close');
}

test('sockets are for their user alone', async () => {
  const owner = await openOwner(env(), 'web');
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder(), 'web.sock')).mode & 0o777).toBe(0o600);
  await owner.end();
  expect(readdirSync(folder())).toEqual([]);
});

test('a folder that others can enter is refused', async () => {
  await Sockets.open(env());
  chmodSync(folder(), 0o755);
  await expect(Sockets.open(env())).rejects.toThrow('is not a folder that only you can enter');
});

test('a link to another folder is refused', async () => {
  const other = mkdtempSync(join(tmpdir(), 'linuxrun-other-'));
  symlinkSync(other, folder());
  await expect(Sockets.open(env())).rejects.toThrow('is not a folder that only you can enter');
  rmSync(other, { recursive: true });
});

test('without a runtime folder there is one below the temporary folder', async () => {
  for (const XDG_RUNTIME_DIR of [undefined, 'relative', join(runtime, 'gone')]) {
    const sockets = await Sockets.open({ XDG_RUNTIME_DIR });
    expect(sockets.pathOf('web')).toMatch(/^\/.*\/linuxrun-\d+\/web\.sock$/);
  }
});

test('a name is taken once', async () => {
  const owner = await openOwner(env(), 'web');
  await expect(openOwner(env(), 'web')).rejects.toThrow('the container name "/web" is already in use');
  await owner.end();
  await (await openOwner(env(), 'web')).end();
});

test('the socket of an owner that died is removed', async () => {
  const sockets = await Sockets.open(env());
  await leaveSocket(sockets.pathOf('web'));
  expect(await listContainers(sockets)).toEqual([]);
  expect(readdirSync(folder())).toEqual([]);
  await leaveSocket(sockets.pathOf('web'));
  await expect(findContainer(sockets, 'web')).rejects.toThrow('No such container: web');
  await leaveSocket(sockets.pathOf('web'));
  const owner = await openOwner(env(), 'web');
  expect(readdirSync(folder())).toEqual(['web.sock']);
  await owner.end();
});

test('many owners that find the same dead one agree on a new one', async () => {
  const sockets = await Sockets.open(env());
  await leaveSocket(sockets.pathOf('web'));
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => openOwner(env(), 'web')));
  const owners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  expect(owners).toHaveLength(1);
  await owners[0]?.value.end();
});

test('the lock of a killed process does not last', async () => {
  const sockets = await Sockets.open(env());
  const lock = join(folder(), '.lock');
  writeFileSync(lock, '');
  const past = Date.now() / 1000 - 60;
  utimesSync(lock, past, past);
  const owner = await openOwner(env(), 'web');
  expect(await sockets.names()).toEqual(['web']);
  await owner.end();
  expect(readdirSync(folder())).toEqual([]);
});

test('an owner that does not answer delays the list, but does not stop it', async () => {
  const sockets = await Sockets.open(env());
  const mute = createServer().listen(sockets.pathOf('mute'));
  await once(mute, 'listening');
  expect(await listContainers(sockets)).toEqual([]);
  mute.close();
});

test('a path too long for a socket is refused, and so is a file in its place', async () => {
  await expect(openOwner(env(), 'x'.repeat(64).repeat(2))).rejects.toThrow('is too long for a socket');
  const sockets = await Sockets.open(env());
  writeFileSync(sockets.pathOf('file'), '');
  const owner = await openOwner(env(), 'file');
  await owner.end();
});
