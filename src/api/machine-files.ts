import { BOOTED, openBooted, placeBooted } from '../container/booted.ts';
import { SpareMachine } from '../container/spare-machine.ts';
import type { NetworkOptions } from '../machine/machine.ts';
import { browserPlatform } from '../machine/platform/browser.ts';
import type { Platform } from '../machine/platform/platform.ts';

/** The files that every machine of a page needs, loaded once for all of them. */
export class MachineFiles {
  readonly #assets: string;
  readonly #release: string | undefined;
  readonly #platform: Platform;
  readonly #files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  #emulator: Promise<WebAssembly.Module> | undefined;

  /**
   * @param assets the URL of their folder, ending in a slash
   * @param release the release whose files are loaded; unless given, the server's current ones
   */
  constructor(assets: string, release?: string) {
    this.#assets = assets;
    this.#release = release;
    this.#platform = browserPlatform(assets, { release });
  }

  /** Returns a platform that takes these files, for a machine whose workers start at once. */
  createPlatform(cpus: number): Platform {
    return {
      ...browserPlatform(this.#assets, { release: this.#release, harts: cpus }),
      loadEmulator: () => this.emulator(),
      loadFile: (path) => this.file(path),
    };
  }

  /** The paths of the files that have been asked for. */
  get used(): string[] {
    return [...this.#files.keys()];
  }

  emulator(): Promise<WebAssembly.Module> {
    this.#emulator ??= this.#platform.loadEmulator();
    this.#emulator.catch(() => {
      this.#emulator = undefined;
    });
    return this.#emulator;
  }

  file(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#files.get(path);
    if (known) return known;
    const file = this.#platform.loadFile(path);
    this.#files.set(path, file);
    // The next machine loads it again.
    file.catch(() => this.#files.delete(path));
    return file;
  }

  /** Loads the files of the usual machine. Those that fail are loaded again on demand. */
  async preload(): Promise<void> {
    const booted = this.booted().catch(() =>
      Promise.all([this.file('kernel/Image'), this.file('kernel/initramfs.cpio')]),
    );
    await Promise.allSettled([this.emulator(), booted]);
  }

  /** The file of the machine that has booted. */
  booted(): Promise<Uint8Array<ArrayBuffer>> {
    return this.file(BOOTED);
  }
}

/** What the next container finds ready. */
export interface Preparation {
  /** For a machine with one CPU, if the spare one does not suit. Its `dismiss` also ends that one. */
  readonly platform: Platform;
  readonly spare: SpareMachine | undefined;
}

/**
 * Starts what a container needs before it is asked for: the workers of a machine with one CPU, and the
 * machine that has booted.
 * @param assets the URL of the folder of the files, ending in a slash
 * @param booted the file of the machine that has booted
 */
export function prepareMachine(
  assets: string,
  emulator: WebAssembly.Module,
  booted: Uint8Array | undefined,
  network: NetworkOptions,
): Preparation {
  const newPlatform = () => ({
    ...browserPlatform(assets, { harts: 1 }),
    loadEmulator: async () => emulator,
  });
  const platform = newPlatform();
  // A foreign relay needs another network card.
  if (!booted || network.relay?.kind === 'foreign') return { platform, spare: undefined };
  const saved = openBooted(booted, emulator).then(placeBooted);
  const spare = new SpareMachine({ platform: newPlatform(), saved, store: '', network });
  return {
    platform: {
      ...platform,
      dismiss() {
        platform.dismiss?.();
        spare.stop();
      },
    },
    spare,
  };
}
