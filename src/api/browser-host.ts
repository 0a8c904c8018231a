import { browserFolders } from '../folders/browser.ts';
import { OptionError } from '../options/option-error.mjs';
import { openConsole } from './browser-console.ts';
import type { Places } from './browser-images.ts';
import { browserLibrary } from './browser-library.ts';
import type { Host, ImageLoading } from './host.ts';
import { MachineFiles } from './machine-files.ts';

/** What the interface needs from a browser. */
export function browserHost(places: () => Places, loading: ImageLoading): Host {
  const files = new Map<string, MachineFiles>();
  return {
    ...browserLibrary,
    ...loading,
    createPlatform(cpus) {
      const { assets } = places();
      const known = files.get(assets) ?? new MachineFiles(assets);
      files.set(assets, known);
      return known.createPlatform(cpus);
    },
    folders: browserFolders,
    commandImage: 'oci://images:busybox',
    storeFolder: '',
    hasStarts: async () => (await browserLibrary.openStore().values.keys('start/')).length > 0,
    openKept: async () => ({
      store: browserLibrary.openStore(),
      nameOf: browserLibrary.nameOf,
      createSavers: async (emulator) =>
        (await import('../snapshot/platform/browser.ts')).browserSavers(emulator),
      loadCodec: async () => (await import('../oci/browser-codec.ts')).browserCodec,
    }),
    get network() {
      return { relay: { kind: 'own', base: places().server } } as const;
    },
    openInput: () => new ReadableStream({ start: (controller) => controller.close() }),
    openOutput: openConsole,
    async readTextFile(path) {
      throw new OptionError(`a page cannot read ${path}: give its content in other words`);
    },
    async findFolder(path) {
      throw new OptionError(
        `a page cannot share the folder ${path} of this computer: give mount() a MemoryFolder, or another folder`,
      );
    },
    async publish() {
      throw new OptionError(
        'a page cannot open ports of this machine: use proxyRequest(), connect(), or publish ports in Node',
      );
    },
  };
}
