import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/setup/places.mjs';
import type { AppOptions } from './app.ts';
import { readHosts } from './hosts.ts';
import { readProxyOptions } from './registry/options.ts';
import { RegistryProxy } from './registry/proxy.ts';
import { startServer } from './server.ts';

const DEFAULT_PORT = 8080;

/**
 * Serves the page with the options in the environment until a signal interrupts it. Ends the process with a
 * message if that is impossible.
 * @param roots folders of static files; the first one that has a file wins
 */
export async function serve(roots: readonly string[]): Promise<void> {
  if (!roots.some((root) => existsSync(join(root, 'index.html'))))
    fail('the page is not built yet: run npm run build first');
  const port = readPort(process.env.PORT);
  const options = await readServerOptions();
  const server = await startServer(roots, port, options).catch((error) => fail(explain(error, port)));
  console.log(`LinuxRun is at ${server.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
}

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

async function readServerOptions(): Promise<AppOptions> {
  try {
    const hosts = readHosts(process.env);
    return { hosts, registryProxy: await RegistryProxy.open(readProxyOptions(process.env, CACHE)) };
  } catch (error) {
    return fail(`cannot start the server: ${(error as Error).message}`);
  }
}
