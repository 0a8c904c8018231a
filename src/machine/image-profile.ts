import {
  decodeRegions,
  mergeProfiles,
  nameOf,
  PROFILE_SIZE,
  recordsOf,
} from '../../emulator-wasm/jit/profile.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import type { ProfileStore } from '../storage/profile-store.ts';

/** How often what was compiled meanwhile is stored, in ms. */
const INTERVAL = 10_000;
/**
 * How long after the opening of an image the translator gets its profile, in ms. The translator's start would
 * delay the program's.
 */
const HEAD_START = 500;

/** The logs of a machine's translator, see `ProfileLogs`. Structured-cloneable. */
export interface ProfileBuffers {
  readonly known: SharedArrayBuffer;
  readonly made: SharedArrayBuffer;
}

export function allocateProfiles(): ProfileBuffers {
  // Those of the kernel, and of an image.
  const known = SharedLog.ofSize(2 * PROFILE_SIZE);
  return { known: known.buffer, made: SharedLog.ofSize(PROFILE_SIZE).buffer };
}

/** Hands the profile of the machine's image to the translator, and stores what that compiles. */
export class ImageProfile {
  readonly #known: SharedLog;
  readonly #made: SharedLog;
  readonly #onKnown: () => void;
  #image: { readonly store: ProfileStore; readonly layers: readonly string[] } | undefined;
  /** How much of what was compiled is stored. */
  #stored = 0;
  #hasStored = false;
  #timer: ReturnType<typeof setInterval> | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** @param onKnown called when there is more for the translator */
  constructor({ known, made }: ProfileBuffers, onKnown: () => void) {
    this.#known = new SharedLog(known);
    this.#made = new SharedLog(made);
    this.#onKnown = onKnown;
  }

  /** The machine runs code of this image. A profile that cannot be read is missing. */
  async open(store: ProfileStore, layers: readonly string[]): Promise<void> {
    this.#image = { store, layers };
    this.#timer ??= setInterval(() => void this.save(), INTERVAL);
    const profile = await store.get(layers).catch(() => new Uint8Array());
    const records = recordsOf(profile);
    if (records.length > 0 && this.#known.append(records)) setTimeout(this.#onKnown, HEAD_START);
  }

  /** Stores what was compiled since the last time. A store that cannot be written keeps what it has. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save()).catch(() => {});
    return this.#saving;
  }

  async #save(): Promise<void> {
    const made = this.#made.read();
    if (!this.#image || made.length === this.#stored) return;
    this.#stored = made.length;
    const { store, layers } = this.#image;
    const stored = await store.get(layers);
    const known = new Set(decodeRegions(recordsOf(stored)).map(nameOf));
    if (decodeRegions(made).every((region) => known.has(nameOf(region)))) return;
    await store.put(layers, mergeProfiles(stored, made, { ages: !this.#hasStored }));
    this.#hasStored = true;
  }
}
