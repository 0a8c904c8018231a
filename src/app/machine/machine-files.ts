import { browserPlatform } from '../../machine/platform/browser.ts';
import { readRelease } from '../offline/release.ts';

/** The URL of the page, ending in a slash. */
export const BASE = new URL('.', document.baseURI).href;

/** The files that every machine needs, loaded once and early, and kept for all sessions of the page. */
class MachineFiles {
  readonly #platform = browserPlatform(BASE, readRelease().id);
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

  /** Loads the files for a machine with one CPU. Those that fail are loaded again on demand. */
  async preload(): Promise<void> {
    const files = [this.emulator(), this.file('kernel/Image'), this.file('kernel/initramfs.cpio')];
    await Promise.allSettled(files);
  }
}

export const machineFiles = new MachineFiles();
