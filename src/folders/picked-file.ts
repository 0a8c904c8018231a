import { explained } from './picked-errors.ts';
import { FolderError } from './shared-folder.ts';

/** The largest file that stays usable in memory when its name goes. */
const MOST_DETACHED = 64 << 20;
/** After this time without a write, what was written becomes the file. In ms. */
const IDLE = 1000;

/**
 * An open file of a picked folder, with all its users. The browser writes to a copy, which takes the place of
 * the file when the copy is closed: at `fsync`, before the content is read, after a second without writes,
 * and at the end.
 */
export class PickedFile {
  handle: FileSystemFileHandle;
  readonly #onEnd: () => void;
  #users = 0;
  #file: File | undefined;
  #copy: { readonly stream: FileSystemWritableFileStream; size: number } | undefined;
  /** The content of a file without a name. */
  #detached: Uint8Array<ArrayBuffer> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(handle: FileSystemFileHandle, onEnd: () => void) {
    this.handle = handle;
    this.#onEnd = onEnd;
  }

  get isDetached(): boolean {
    return this.#detached !== undefined;
  }

  /** Counts a user more. */
  use(): this {
    this.#users++;
    return this;
  }

  async close(): Promise<void> {
    try {
      // Meanwhile others still find it, with what was written last.
      if (this.#users === 1) await this.sync();
    } finally {
      this.#users--;
      if (this.#users === 0) this.#onEnd();
    }
  }

  measure(): Promise<{ readonly size: number; readonly lastModified: number }> {
    return this.#inTurn(async () => {
      const lastModified = Date.now();
      if (this.#detached) return { size: this.#detached.length, lastModified };
      return this.#copy ? { size: this.#copy.size, lastModified } : this.handle.getFile();
    });
  }

  read(position: number, into: readonly Uint8Array[]): Promise<number> {
    return this.#inTurn(async () => {
      const length = into.reduce((sum, bytes) => sum + bytes.length, 0);
      const bytes = await this.#bytes(position, length);
      let done = 0;
      for (const buffer of into) {
        const part = bytes.subarray(done, done + buffer.length);
        buffer.set(part);
        done += part.length;
      }
      return done;
    });
  }

  write(position: number, from: readonly Uint8Array[]): Promise<void> {
    return this.#inTurn(async () => {
      const bytes = new Uint8Array(from.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const part of from) {
        bytes.set(part, at);
        at += part.length;
      }
      const end = position + bytes.length;
      if (this.#detached) {
        if (end > this.#detached.length) this.#resizeDetached(end);
        this.#detached.set(bytes, position);
        return;
      }
      const copy = await this.#writable();
      await copy.stream.write({ type: 'write', position, data: bytes });
      copy.size = Math.max(copy.size, end);
      this.#commitLater();
    });
  }

  resize(size: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#detached) return this.#resizeDetached(size);
      const copy = await this.#writable();
      await copy.stream.truncate(size);
      copy.size = size;
      this.#commitLater();
    });
  }

  sync(): Promise<void> {
    return this.#inTurn(() => this.#commit());
  }

  /** The file has another handle now. */
  renamed(handle: FileSystemFileHandle): void {
    this.handle = handle;
    this.#file = undefined;
  }

  /** Takes the content into memory, because its name goes. @throws EBUSY */
  detach(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#commit();
      const file = await this.handle.getFile();
      if (file.size > MOST_DETACHED) throw new FolderError('EBUSY');
      this.#detached = new Uint8Array(await file.arrayBuffer());
    });
  }

  #resizeDetached(size: number): void {
    if (size > MOST_DETACHED) throw new FolderError('ENOSPC');
    const bytes = new Uint8Array(size);
    bytes.set((this.#detached ?? bytes).subarray(0, size));
    this.#detached = bytes;
  }

  async #bytes(position: number, length: number): Promise<Uint8Array> {
    if (this.#detached) return this.#detached.subarray(position, position + length);
    await this.#commit();
    const read = async () => {
      this.#file ??= await this.handle.getFile();
      return new Uint8Array(await this.#file.slice(position, position + length).arrayBuffer());
    };
    try {
      return await read();
    } catch (error) {
      if ((error as Error).name !== 'NotReadableError') throw error;
      // The host has changed it.
      this.#file = undefined;
      return read();
    }
  }

  async #writable() {
    if (this.#copy) return this.#copy;
    const { size } = await this.handle.getFile();
    const stream = await this.handle.createWritable({ keepExistingData: true });
    this.#copy = { stream, size };
    return this.#copy;
  }

  async #commit(): Promise<void> {
    const copy = this.#copy;
    if (!copy) return;
    clearTimeout(this.#timer);
    this.#copy = undefined;
    this.#file = undefined;
    await copy.stream.close();
  }

  #commitLater(): void {
    clearTimeout(this.#timer);
    // A failure shows at the next write.
    this.#timer = setTimeout(() => void this.sync().catch(() => {}), IDLE);
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => explained(action));
    this.#last = turn.catch(() => {});
    return turn;
  }
}
