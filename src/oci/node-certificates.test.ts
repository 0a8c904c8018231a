import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CERTIFICATE, PRIVATE_KEY } from './testing/certificate.ts';

let server: Server;
let folder: string;

beforeEach(async () => {
  vi.resetModules();
  folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

async function fetchText(): Promise<string> {
  const { nodeFetch } = await import('./node-fetch.ts');
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const { body } = await nodeFetch(url, { headers: {}, signal: AbortSignal.timeout(5000) });
  return new Response(body).text();
}

it('trusts only the certificates that run.sh passes on', async () => {
  const file = join(folder, 'ca.pem');
  await writeFile(file, CERTIFICATE);
  await expect(fetchText()).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT');
  vi.resetModules();
  vi.stubEnv('LINUXRUN_EXTRA_CA_CERTS', file);
  expect(await fetchText()).toBe('hello');
});

it('warns of an unreadable file, and continues without it', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  vi.stubEnv('LINUXRUN_EXTRA_CA_CERTS', join(folder, 'missing.pem'));
  await expect(fetchText()).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT');
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/ignoring the certificates of .*missing\.pem/));
});
