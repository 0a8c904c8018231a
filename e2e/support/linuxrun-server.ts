import { RegistryProxy } from '../../src/server/registry/proxy.ts';
import { DEFAULT_REGISTRIES } from '../../src/server/registry/registries.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { SITE } from './places.ts';

/** The URL for programs, which cannot resolve every name below localhost. */
export const forPrograms = (url: string) => url.replace('//linuxrun.localhost:', '//localhost:');

/**
 * Serves the built page, and allows registries on this machine, which no variable of the server can allow.
 * @param local their `host:port`
 * @param port 0 takes any free port
 */
export async function startLinuxRun(local: readonly string[], port = 0): Promise<RunningServer> {
  const registries = [...DEFAULT_REGISTRIES, ...local];
  const registryProxy = await RegistryProxy.open({ registries, loopback: local });
  return startServer([SITE], port, { registryProxy });
}
