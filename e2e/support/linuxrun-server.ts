import { RegistryProxy } from '../../src/server/registry/proxy.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { SITE } from './places.ts';

/**
 * Serves the built page, with a way to registries on this machine, which no variable of the server gives.
 * @param registries `host:port` each
 * @param port 0 takes any free one
 */
export async function startLinuxRun(registries: readonly string[], port = 0): Promise<RunningServer> {
  const proxy = await RegistryProxy.open({ registries, loopback: registries });
  return startServer([SITE], port, proxy);
}
