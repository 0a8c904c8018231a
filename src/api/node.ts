/** The programming interface in Node. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseMirror } from '../options/mirror.mjs';
import { OptionError } from '../options/option-error.mjs';
import { freeBytes, nodeStore } from '../storage/node.ts';
import type { Configuration } from './configuration.ts';
import { installHost } from './host.ts';
import { nodeContainers } from './node-containers.ts';
import { nodeImageNames } from './node-image-names.ts';

export * from './public.ts';

// Bundles of the clone are as deep as the sources; scripts/setup/package.mjs leads to the package's assets.
let assets = fileURLToPath(new URL('../../public/', import.meta.url));
/** Unless it is that of the environment. */
let mirror: string | undefined;
let store = join(cacheFolder(process.env), 'linuxrun', 'images');

/** Changes where later commands and containers find their files. */
export function configure(configuration: Configuration): void {
  if (configuration.assets !== undefined) assets = pathOf(configuration.assets);
  if (configuration.registryMirror !== undefined) mirror = parseMirror(String(configuration.registryMirror));
  store = configuration.store ?? store;
}

function pathOf(place: string | URL): string {
  return place instanceof URL || place.startsWith('file:') ? fileURLToPath(place) : resolve(place);
}

/** @throws OptionError */
function mirrorOf({ LINUXRUN_REGISTRY_MIRROR: given = '' }: NodeJS.ProcessEnv): string | undefined {
  try {
    return given === '' ? undefined : parseMirror(given);
  } catch (error) {
    throw new OptionError(`LINUXRUN_REGISTRY_MIRROR: ${(error as Error).message}`);
  }
}

/** The user's cache (XDG base directory specification). */
function cacheFolder({ XDG_CACHE_HOME: given = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(given) ? given : join(homedir(), '.cache');
}

/** Loading this code takes a while, so that it waits until it is needed. */
const images = async () => {
  const [{ nodeImages }, loading] = await Promise.all([
    import('./node-images.ts'),
    import('./load-image.ts'),
  ]);
  return { ...loading, access: nodeImages({ store, assets, mirror: mirror ?? mirrorOf(process.env) }) };
};

const places = {
  get assets() {
    return assets;
  },
  get store() {
    return store;
  },
};

const containers = nodeContainers(places, async (image, options) => {
  const { loadImage, access } = await images();
  return loadImage(access, image, options);
});

installHost({
  ...nodeImageNames,
  ...containers,
  // Spreading copies values of getters, and this one can change.
  get storeFolder() {
    return store;
  },
  get commandImage() {
    return `oci://${join(assets, 'images').replace(/[%:@]/g, encodeURIComponent)}:busybox`;
  },
  openStore: () => nodeStore(store),
  async inspectSource(image, options) {
    const { inspectSource, access } = await images();
    return inspectSource(access, image, options);
  },
  measureRoom: async () => ({ freeBytes: await freeBytes(store), isKept: true, isPersistent: true }),
  persist: async () => true,
  async readTextFile(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new OptionError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
    }
  },
});
