import { createHash } from 'node:crypto';
import { encodeIndex, TarIndexer } from '../../disk/tar.ts';
import { MemoryLocks, MemoryStore, memoryFiles } from '../../storage/memory.ts';
import { Store } from '../../storage/store.ts';
import type { Codec } from '../codec.ts';
import type { Context } from '../context.ts';
import type { Timing } from '../http.ts';
import { nodeCodec } from '../node-codec.ts';
import { findImage, type Indexer, type PullOptions, pullImage } from '../pull.ts';
import type { ImageSource } from '../source.ts';

/** Retries that follow soon, and limits that even a busy machine keeps. */
export const TIMING: Timing = { answer: 20_000, stall: 20_000, backoff: 5, patience: 600 };
/** For servers that do not begin their answer, or do not end it. */
export const NO_ANSWER: Timing = { ...TIMING, answer: 400 };
export const NO_END: Timing = { ...TIMING, stall: 400 };

export const context = (): Context => ({ signal: new AbortController().signal });

export const createTarReader = () => new TarIndexer();

export function createIndexer(): Indexer {
  const indexer = new TarIndexer();
  return { push: (bytes) => indexer.push(bytes), finish: () => encodeIndex(indexer.finish()) };
}

/** Pulls an image and holds it no longer. */
export async function pull(source: ImageSource, store: Store, options: Partial<PullOptions> = {}) {
  const image = await pullAndHold(source, store, options);
  await image.release();
  return image;
}

export function pullAndHold(source: ImageSource, store: Store, options: Partial<PullOptions> = {}) {
  const signal = new AbortController().signal;
  return pullImage(source, store, { codec: nodeCodec as Codec, createIndexer, signal, ...options });
}

/** Finds a stored image and holds it no longer. */
export async function find(reference: string, store: Store) {
  const image = await findImage(reference, store);
  await image?.release();
  return image;
}

/** A store in memory that shows its content. */
export class VisibleStore extends Store {
  override readonly values: MemoryStore;
  readonly locks: MemoryLocks;

  constructor(capacity?: number) {
    const values = new MemoryStore(capacity);
    const locks = new MemoryLocks();
    super(values, locks, memoryFiles());
    this.values = values;
    this.locks = locks;
  }

  /** Returns everything but the times of last use, in a form to compare. Throws when a lock is left. */
  async snapshot(): Promise<Record<string, string>> {
    const left = [...(await this.locks.held())];
    if (left.length > 0) throw new Error(`locks left: ${left}`);
    const found: Record<string, string> = {};
    for (const prefix of ['layer/', 'chunk/', 'image/']) {
      for (const key of await this.values.keys(prefix)) {
        const value = (await this.values.get(key)) ?? new Uint8Array(0);
        found[key] = createHash('sha256').update(value).digest('hex');
      }
    }
    return found;
  }

  /** The tar of a stored layer. */
  async tar(diffId: string): Promise<Uint8Array> {
    const layer = await this.layers.open(diffId);
    if (!layer) throw new Error(`${diffId} is not stored`);
    const bytes = new Uint8Array(layer.size);
    await layer.read(0, bytes);
    await layer.close();
    return bytes;
  }
}
