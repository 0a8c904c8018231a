/** How Node runs containers. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { nodePlatform } from '../machine/platform/node.ts';
import { returns } from '../machine/platform/node-ending.ts';
import { OptionError } from '../options/option-error.mjs';
import type { ContainerHost } from './host.ts';
import { openCachedBooted } from './node-booted.ts';
import { openInput, openOutput } from './node-stdio.ts';

/** How long a folder may take to be found, in ms: a disk may have to start, or a server to be asked. */
const FOLDER_PATIENCE = 30_000;

interface Places {
  /** The folder with emulator.wasm and kernel/. */
  readonly assets: string;
  /** The folder of the stored images. */
  readonly store: string;
}

export function nodeContainers(places: Places, loadImage: ContainerHost['loadImage']): ContainerHost {
  return {
    createPlatform(cpus) {
      const platform = nodePlatform(places.assets, cpus);
      const cache = join(places.store, 'booted');
      return { ...platform, openBooted: (emulator) => openCachedBooted(places.assets, cache, emulator) };
    },
    get storeFolder() {
      return places.store;
    },
    async hasStarts() {
      return existsSync(join(places.store, 'values', 'start'));
    },
    async openKept() {
      const [{ nodeStore }, { nodeImageNames }] = await Promise.all([
        import('../storage/node.ts'),
        import('./node-image-names.ts'),
      ]);
      return {
        store: nodeStore(places.store),
        nameOf: nodeImageNames.nameOf,
        createSavers: async (emulator) =>
          (await import('../snapshot/platform/node.ts')).nodeSavers(emulator, places.store),
        loadCodec: async () => (await import('../oci/node-codec.ts')).nodeCodec,
      };
    },
    loadImage,
    network: {},
    openInput,
    openOutput,
    async findFolder(path) {
      const absolute = resolve(path);
      const looking = stat(absolute).catch(() => undefined);
      if (!(await returns(looking, absolute, FOLDER_PATIENCE)))
        throw new OptionError(`${absolute} cannot be shared, because it does not answer`);
      const status = await looking;
      if (!status) throw new OptionError(`there is no folder ${absolute} to share: make it first`);
      if (!status.isDirectory())
        throw new OptionError(`${absolute} is no folder: only folders can be shared`);
      return absolute;
    },
    async publish(ports) {
      const { Publisher } = await import('./publisher.ts');
      const publisher = new Publisher();
      await publisher.listen(ports);
      return publisher;
    },
  };
}
