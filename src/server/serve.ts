import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../scripts/setup/places.mjs';
import { portError, readPort } from '../../scripts/setup/port.mjs';
import { checkVariableNames } from '../options/variables.mjs';
import type { AppOptions } from './app.ts';
import { ArchiveProxy } from './archive/proxy.ts';
import { readEmbedOrigins } from './embedding.ts';
import { readHosts } from './hosts.ts';
import { readProxyOptions } from './registry/options.ts';
import { RegistryProxy } from './registry/proxy.ts';
import { createRelay } from './relay/relay.ts';
import { startServer } from './server.ts';

/**
 * Serves the page with the options in the environment until a signal interrupts it. Ends the process with a
 * message if that is impossible.
 * @param roots folders of static files; the first one that has a file wins
 * @param command the user's, for messages
 * @param folders the other folders that are served
 */
export async function serve(
  roots: readonly string[],
  command: string,
  folders: Pick<AppOptions, 'previewRoot' | 'archiveRoot'>,
): Promise<void> {
  if (!roots.some((root) => existsSync(join(root, 'index.html'))))
    fail('the page is not built yet: run npm start or npm run release');
  const { port, ...options } = await readServerOptions();
  const server = await startServer(roots, port, { ...options, ...folders }).catch(async (error) =>
    fail((await portError(error, port, command)).message),
  );
  console.log(`LinuxRun is at ${server.pageUrl}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
}

function fail(message: string): never {
  console.error(`linuxrun: ${message}`);
  process.exit(1);
}

async function readServerOptions(): Promise<AppOptions & { readonly port: number }> {
  try {
    checkVariableNames(process.env);
    const port = readPort(process.env.PORT);
    const hosts = readHosts(process.env);
    const embedOrigins = readEmbedOrigins(process.env);
    const relay = createRelay(process.env);
    const proxyOptions = readProxyOptions(process.env, CACHE);
    return {
      port,
      hosts,
      embedOrigins,
      relay,
      registryProxy: await RegistryProxy.open(proxyOptions),
      archiveProxy: new ArchiveProxy({ trustProxy: proxyOptions.trustProxy }),
    };
  } catch (error) {
    return fail(`cannot start the server: ${(error as Error).message}`);
  }
}
