import { getRequestListener } from '@hono/node-server';
import type { Plugin, PreviewServer, ViteDevServer } from 'vite';
import { CACHE, inProject } from '../../scripts/setup/places.mjs';
import { TOKEN_PATH } from '../network/relay-protocol.ts';
import { HERE_PATH, readPreviewHost } from '../preview/names.ts';
import { createApp } from './app.ts';
import { ARCHIVE_PATH, ArchiveProxy } from './archive/proxy.ts';
import { readHosts } from './hosts.ts';
import { readProxyOptions } from './registry/options.ts';
import { REGISTRY_PATH, RegistryProxy } from './registry/proxy.ts';
import { createRelay } from './relay/relay.ts';

const OWN_PATHS = [`${REGISTRY_PATH}/`, `${ARCHIVE_PATH}/`, HERE_PATH, TOKEN_PATH];

/** A server of Vite, for development or for looking at a build. */
type ViteServer = Pick<ViteDevServer | PreviewServer, 'middlewares' | 'httpServer'>;

/**
 * Makes one of Vite's servers our registry proxy and our relay too.
 * @param previewRoot the folder of the files of previews, if it serves their origins
 */
export async function serveOurPaths(
  { middlewares, httpServer }: ViteServer,
  previewRoot?: string,
): Promise<void> {
  const proxyOptions = readProxyOptions(process.env, CACHE);
  const registryProxy = await RegistryProxy.open(proxyOptions);
  const archiveProxy = new ArchiveProxy({ trustProxy: proxyOptions.trustProxy });
  const relay = createRelay(process.env);
  httpServer?.on('upgrade', (request, socket, head) => void relay?.upgrade(request, socket, head));
  httpServer?.once('close', () => {
    registryProxy.close();
    archiveProxy.close();
    relay?.close();
  });
  const hosts = readHosts(process.env);
  const listen = getRequestListener(
    createApp([], { registryProxy, archiveProxy, relay, hosts, previewRoot }).fetch,
  );
  middlewares.use((request, response, next) => {
    const isOurs = OWN_PATHS.some((path) => request.url?.startsWith(path));
    const isPreview = previewRoot !== undefined && readPreviewHost(request.headers.host ?? '');
    if (isOurs || isPreview) void listen(request, response);
    else next();
  });
}

/** Adds our registry proxy, our relay and the origins of previews to Vite's server for development. */
export function registryProxyInDevelopment(): Plugin {
  return {
    name: 'registry-proxy',
    apply: 'serve',
    // Vite checks the hosts itself, also for its web socket. It writes `*.host` as `.host`.
    config: () => ({
      server: { allowedHosts: readHosts(process.env).map((entry) => entry.replace(/^\*(?=\.)/, '')) },
    }),
    configureServer: (server) => serveOurPaths(server, inProject('dist/previews')),
  };
}
