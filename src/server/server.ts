import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { INTERFACE } from '../../scripts/setup/port.mjs';
import { LOCAL_NAME } from '../preview/names.ts';
import { type AppOptions, createApp } from './app.ts';
import { type Relay, refuseUpgrade } from './relay/relay.ts';

/**
 * The largest head of a request. Browsers keep up to 180 cookies of 4 KiB for a name, and scripts of previews
 * can set that many for the page's, which then would not load any more.
 */
const MAX_HEAD = 1 << 20;

export interface RunningServer {
  /** The URL for programs, some of which cannot resolve names below `localhost`. */
  url: string;
  /** The page's URL for browsers. */
  pageUrl: string;
  close(): Promise<void>;
}

/**
 * Serves `roots` on the loopback interface. A page is isolated only on https or below localhost, so a public
 * server stands behind a proxy that speaks TLS.
 * @param port the port, or 0 for any free port
 * @param options its proxies and its relay are closed along with the server
 * @throws when the port cannot be listened on
 */
export async function startServer(
  roots: readonly string[],
  port: number,
  options: AppOptions = {},
): Promise<RunningServer> {
  const { fetch } = createApp(roots, options);
  const server = createAdaptorServer({ fetch, serverOptions: { maxHeaderSize: MAX_HEAD } }) as Server;
  if (options.relay) serveRelay(server, options.relay);
  server.listen(port, INTERFACE);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${taken}/`,
    pageUrl: `http://${LOCAL_NAME}:${taken}/`,
    close: async () => {
      options.relay?.close();
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
      options.registryProxy?.close();
      options.archiveProxy?.close();
    },
  };
}

function serveRelay(server: Server, relay: Relay): void {
  server.on('upgrade', (request, socket, head) => {
    if (!relay.upgrade(request, socket, head)) refuseUpgrade(socket, 404, 'Not found');
  });
}
