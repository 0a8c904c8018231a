/** The programming interface in Node. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodePlatform } from '../machine/platform/node.ts';
import { parseMirror } from '../options/mirror.mjs';
import { OptionError } from '../options/option-error.mjs';
import { freeBytes, nodeStore } from '../storage/node.ts';
import type { Configuration } from './configuration.ts';
import { installHost } from './host.ts';
import { nodeImageNames } from './node-image-names.ts';
import { openInput, openOutput } from './node-stdio.ts';

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

/** The code that reads images takes a while to load, and a machine can boot meanwhile. */
const images = async () => {
  await launched;
  const [{ nodeImages }, loading] = await Promise.all([
    import('./node-images.ts'),
    import('./load-image.ts'),
  ]);
  return { ...loading, access: nodeImages({ store, assets, mirror: mirror ?? mirrorOf(process.env) }) };
};

let launched: Promise<void> = Promise.resolve();

installHost({
  ...nodeImageNames,
  createPlatform(cpus) {
    const platform = nodePlatform(assets, cpus);
    launched = platform.launched;
    return platform;
  },
  get commandImage() {
    return `oci://${join(assets, 'images').replace(/[%:@]/g, encodeURIComponent)}:busybox`;
  },
  get storeFolder() {
    return store;
  },
  openStore: () => nodeStore(store),
  async loadImage(image, options) {
    const { loadImage, access } = await images();
    return loadImage(access, image, options);
  },
  async inspectSource(image, options) {
    const { inspectSource, access } = await images();
    return inspectSource(access, image, options);
  },
  measureRoom: async () => ({ freeBytes: await freeBytes(store), isPersistent: true }),
  persist: async () => true,
  async readTextFile(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new OptionError(`cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
    }
  },
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
