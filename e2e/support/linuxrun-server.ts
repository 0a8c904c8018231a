import { RegistryProxy } from '../../src/server/registry/proxy.ts';
import { DEFAULT_REGISTRIES } from '../../src/server/registry/registries.ts';
import type { Relay } from '../../src/server/relay/relay.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { PREVIEWS, SITE } from './places.ts';

/** The URL for programs, which cannot resolve every name below localhost. */
export const forPrograms = (url: string) => url.replace('//linuxrun.localhost:', '//localhost:');

export interface LinuxRunOptions {
  readonly relay?: Relay;
  /** Any free port unless given. */
  readonly port?: number;
  /** Folders that are served beside the page. */
  readonly folders?: readonly string[];
}

/**
 * Serves the built page, and allows registries on this machine, which no variable of the server can allow.
 * @param local their `host:port`
 */
export async function startLinuxRun(
  local: readonly string[],
  { relay, port = 0, folders = [] }: LinuxRunOptions = {},
): Promise<RunningServer> {
  const registries = [...DEFAULT_REGISTRIES, ...local];
  const registryProxy = await RegistryProxy.open({ registries, loopback: local });
  return startServer([SITE, ...folders], port, { registryProxy, relay, previewRoot: PREVIEWS });
}
