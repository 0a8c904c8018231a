/** The programming interface in Node. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TarIndexer } from '../disk/tar.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import { parseReference } from '../oci/reference.ts';
import { nodeStore } from '../storage/node.ts';
import type { Configuration } from './configuration.ts';
import { installHost, type LoadImageOptions } from './host.ts';
import { loadByPolicy } from './load-image.ts';
import { openInput, openOutput } from './node-stdio.ts';

export * from './public.ts';

// Bundles of the clone are as deep as the sources; scripts/setup/package.mjs leads to the package's assets.
let assets = fileURLToPath(new URL('../../public/', import.meta.url));
let store = join(cacheFolder(process.env), 'linuxrun', 'images');

/** Changes where later commands and containers find their files. */
export function configure(configuration: Configuration): void {
  if (configuration.assets !== undefined) {
    const { href } = new URL(configuration.assets, `file://${process.cwd()}/`);
    assets = fileURLToPath(href);
  }
  store = configuration.store ?? store;
}

/** The user's cache (XDG base directory specification). */
function cacheFolder({ XDG_CACHE_HOME: given = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(given) ? given : join(homedir(), '.cache');
}

function load(text: string, { policy, credentials, onProgress, signal }: LoadImageOptions) {
  const reference = parseReference(text);
  return loadByPolicy({
    reference,
    openSource: () => nodeSource(reference, { createTarReader: () => new TarIndexer(), credentials }),
    store: nodeStore(store),
    codec: nodeCodec,
    policy,
    onProgress,
    signal,
  });
}

installHost({
  createPlatform: (cpus) => nodePlatform(assets, cpus),
  get commandImage() {
    return `oci://${join(assets, 'images').replace(/[%:@]/g, encodeURIComponent)}:busybox`;
  },
  get storeFolder() {
    return store;
  },
  openStore: () => nodeStore(store),
  loadImage: async (reference, options) => load(reference, options),
  network: {},
  openInput,
  openOutput,
  async publish(ports) {
    const { Publisher } = await import('./publisher.ts');
    const publisher = new Publisher();
    await publisher.listen(ports);
    return publisher;
  },
});
