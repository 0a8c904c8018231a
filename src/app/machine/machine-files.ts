import { browserPlatform } from '../../machine/platform/browser.ts';

/** The URL of the page, ending in a slash. */
export const BASE = new URL('.', document.baseURI).href;

/** The files that every machine needs, loaded once and early, and kept for all sessions of the page. */
class MachineFiles {
  readonly #platform = browserPlatform(BASE);
  readonly #files = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  #emulator: Promise<WebAssembly.Module> | undefined;

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
    // The next session loads it again.
    file.catch(() => this.#files.delete(path));
    return file;
  }

  /** Loads the files for a machine with one CPU. */
  preload(): void {
    for (const file of [this.emulator(), this.file('kernel/Image'), this.file('kernel/initramfs.cpio')])
      file.catch(() => {});
  }
}

export const machineFiles = new MachineFiles();
