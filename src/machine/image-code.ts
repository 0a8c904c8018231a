import { mergePacks, nameOf, PACK_SIZE, readPack, shippedPack } from '../../emulator-wasm/jit/pack.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import { portableVersion, translatorVersion } from '../../emulator-wasm/jit/version.ts';
import { M_STORED_REGIONS, STORED_USES } from '../../emulator-wasm/layout.ts';
import type { CodeStore } from '../storage/code-store.ts';

/** How often what was compiled meanwhile is stored, in ms. */
const INTERVAL = 10_000;
/**
 * How long after the opening of an image the translator gets its code, in ms. The translator's start would
 * delay the program's.
 */
const HEAD_START = 500;

/** Less than this part of the stored pack is not worth that the pack is written again. */
const LEAST_PART = 64;

/** Packs that a machine gets: its image's, and those of emulators. */
const MOST_PACKS = 3;

/** The logs of a machine's translator, see `CodeLogs`. Structured-cloneable. */
export interface CodeBuffers {
  readonly stored: SharedArrayBuffer;
  readonly made: SharedArrayBuffer;
}

export function allocateCode(): CodeBuffers {
  return {
    stored: SharedLog.ofSize(MOST_PACKS * PACK_SIZE).buffer,
    made: SharedLog.ofSize(PACK_SIZE).buffer,
  };
}

/** Hands the stored code of the machine's image to the translator, and stores what that compiles. */
export class ImageCode {
  readonly #memory: WebAssembly.Memory;
  readonly #stored: SharedLog;
  readonly #made: SharedLog;
  readonly #onStored: () => void;
  #image: { readonly store: CodeStore; readonly layers: readonly string[] } | undefined;
  /** How much of what was compiled is stored. */
  #saved = 0;
  #hasSaved = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** @param onStored called when there is something for the translator */
  constructor(memory: WebAssembly.Memory, { stored, made }: CodeBuffers, onStored: () => void) {
    this.#memory = memory;
    this.#stored = new SharedLog(stored);
    this.#made = new SharedLog(made);
    this.#onStored = onStored;
  }

  /** The machine runs code of this image. A pack that cannot be read is missing. */
  async open(store: CodeStore, layers: readonly string[]): Promise<void> {
    this.#image = { store, layers };
    this.#timer ??= setInterval(() => void this.save(), INTERVAL);
    const pack = await store.get(layers, translatorVersion()).catch(() => new Uint8Array());
    if (pack.length > 0 && this.#stored.append(pack)) setTimeout(this.#onStored, HEAD_START);
  }

  /**
   * Adds a file of `shipPack`, which belongs to no image. The translator reads it when there is something
   * else for it, because a short program does not need it.
   */
  addShipped(file: Uint8Array): void {
    this.#stored.append(shippedPack(file, portableVersion()));
  }

  /** Stores what was compiled since the last time. A store that cannot be written keeps what it has. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save()).catch(() => {});
    return this.#saving;
  }

  async #save(): Promise<void> {
    const made = this.#made.read();
    if (!this.#image || made.length === this.#saved) return;
    this.#saved = made.length;
    const { store, layers } = this.#image;
    const version = translatorVersion();
    const stored = await store.get(layers, version);
    if (made.length < stored.length / LEAST_PART) return;
    await store.put(layers, version, mergePacks(stored, made, this.#used(), !this.#hasSaved));
    this.#hasSaved = true;
  }

  /** The names of the stored regions that harts have used. */
  #used(): ReadonlySet<string> {
    const bytes = new Uint8Array(this.#memory.buffer, STORED_USES);
    const hasUses = new DataView(this.#memory.buffer).getUint32(M_STORED_REGIONS, true) > 0;
    const regions = hasUses ? readPack(this.#stored.read()) : [];
    return new Set(regions.filter((_, n) => bytes[n] === 1).map(nameOf));
  }
}
