/** `PORT=8080 npx tsx src/server/main.ts`: serves the built page until it is interrupted. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/setup/places.mjs';
import { readProxyOptions } from './registry/options.ts';
import { RegistryProxy } from './registry/proxy.ts';
import { startServer } from './server.ts';

const DEFAULT_PORT = 8080;
const PROJECT = join(import.meta.dirname, '../..');
const PAGE = join(PROJECT, 'dist/app');

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

function readPort(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) fail(`PORT must be a number from 0 to 65535, not "${text}"`);
  return port;
}

function explain(error: NodeJS.ErrnoException, port: number): string {
  if (error.code === 'EADDRINUSE') return `port ${port} is in use: choose another with PORT=…`;
  if (error.code === 'EACCES') return `port ${port} may not be used by this user: choose another with PORT=…`;
  return `cannot listen on port ${port}: ${error.message}`;
}

async function openRegistryProxy(): Promise<RegistryProxy> {
  try {
    return await RegistryProxy.open(readProxyOptions(process.env, CACHE));
  } catch (error) {
    return fail(`cannot start the registry proxy: ${(error as Error).message}`);
  }
}

if (!existsSync(join(PAGE, 'index.html'))) fail('the page is not built yet: run npx vite build first');
const port = readPort(process.env.PORT);
const registryProxy = await openRegistryProxy();
const server = await startServer([PAGE, join(PROJECT, 'public')], port, registryProxy).catch((error) =>
  fail(explain(error, port)),
);
console.log(`LinuxRun is at ${server.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
