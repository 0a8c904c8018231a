/** Bytes that can only be read asynchronously, such as a `StoredLayer`. */
export interface ByteSource {
  /** The size in bytes. */
  readonly size: number;
  /** Fills `into` with the bytes from `offset` on. */
  read(offset: number, into: Uint8Array): Promise<void>;
}

/** Chunks read at the same time. More would take memory, and disks would not be faster. */
const MAX_READS = 4;

/** Keeps recently used chunks of several sources. */
export class ChunkCache {
  readonly #sources: readonly ByteSource[];
  readonly #chunkSize: number;
  readonly #capacity: number;
  /** The chunks, the least recently used first. */
  readonly #chunks = new Map<string, Uint8Array>();
  #cachedBytes = 0;
  readonly #loading = new Map<string, Promise<Uint8Array>>();
  #reads = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param capacity the maximum number of bytes to keep, at least a chunk */
  constructor(sources: readonly ByteSource[], chunkSize: number, capacity: number) {
    this.#sources = sources;
    this.#chunkSize = chunkSize;
    this.#capacity = capacity;
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** A chunk of a source; the last one may be shorter. Rejects as the source does. */
  get(source: number, chunk: number): Uint8Array | Promise<Uint8Array> {
    const key = `${source}/${chunk}`;
    const cached = this.#chunks.get(key);
    if (cached === undefined) return this.#loading.get(key) ?? this.#load(key, source, chunk);
    this.#chunks.delete(key);
    this.#chunks.set(key, cached);
    return cached;
  }

  /** Reads a chunk that will be needed soon, if it exists and no more urgent reads are pending. */
  prefetch(source: number, chunk: number): void {
    const size = this.#sources[source]?.size ?? 0;
    if (chunk * this.#chunkSize >= size || this.#reads >= MAX_READS) return;
    const loaded = this.get(source, chunk);
    // The read that needs the chunk tries again, and gets the error.
    if (loaded instanceof Promise) loaded.catch(() => {});
  }

  #load(key: string, source: number, chunk: number): Promise<Uint8Array> {
    const loading = this.#read(source, chunk).then(
      (bytes) => {
        this.#loading.delete(key);
        this.#keep(key, bytes);
        return bytes;
      },
      (error) => {
        this.#loading.delete(key);
        throw error;
      },
    );
    this.#loading.set(key, loading);
    return loading;
  }

  async #read(source: number, chunk: number): Promise<Uint8Array> {
    const from = this.#sources[source];
    if (from === undefined) throw new RangeError('no such source');
    if (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reads++;
    try {
      const start = chunk * this.#chunkSize;
      const bytes = new Uint8Array(Math.min(this.#chunkSize, from.size - start));
      await from.read(start, bytes);
      return bytes;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#reads--;
    }
  }

  #keep(key: string, bytes: Uint8Array): void {
    this.#chunks.set(key, bytes);
    this.#cachedBytes += bytes.length;
    for (const [oldest, { length }] of this.#chunks) {
      if (this.#cachedBytes <= this.#capacity) break;
      this.#chunks.delete(oldest);
      this.#cachedBytes -= length;
    }
  }
}
