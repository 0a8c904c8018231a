import type { DiskFiles } from '../storage/disk-files.ts';
import { StorageFullError } from '../storage/errors.ts';
import type { BlockBackend, DiskState } from './block-backend.ts';
import { FULL_PAUSE, KeptDisk, type KeptDiskOptions, lengthOf } from './kept-disk.ts';

/** An ext4 file system with a journal that outlives the machine. The owner holds the container's lock. */
export interface KeptDiskDescription {
  readonly kind: 'kept';
  /** The place of stored disks: a folder in Node. Browsers have one store for each origin. */
  readonly store: string;
  /** The name of the disk in the store: the id of its container. */
  readonly disk: string;
  readonly sizeBytes: number;
  /**
   * Reverts the disk to this checkpoint, that of a saved session. Without one, all checkpoints are dropped.
   */
  readonly checkpoint?: number | undefined;
  /** Whether the disk is in memory until `Machine.keepDisk`. */
  readonly isDeferred?: boolean | undefined;
}

/** The kept disk of a machine. Requests wait until its file is open. */
export class KeptBackend implements BlockBackend {
  readonly readOnly = false;
  readonly sizeBytes: number;
  readonly #files: DiskFiles;
  readonly #name: string;
  readonly #opening: Promise<KeptDisk>;
  #disk: KeptDisk | undefined;
  #isInMemory: boolean;
  #isClosed = false;

  /**
   * @param onProblem called when the disk cannot be written, and when it can be again
   * @param onError called when the disk cannot be opened; the guest gets I/O errors then
   */
  constructor(
    files: DiskFiles,
    { disk, sizeBytes, isDeferred = false }: KeptDiskDescription,
    onProblem: (problem: string | undefined) => void,
    onError: (error: unknown) => void,
  ) {
    this.sizeBytes = sizeBytes;
    this.#files = files;
    this.#name = disk;
    this.#isInMemory = isDeferred;
    const options = { sizeBytes, onProblem };
    if (isDeferred) this.#disk = KeptDisk.inMemory(options);
    this.#opening = this.#disk ? Promise.resolve(this.#disk) : this.#open(options);
    this.#opening.catch(onError);
  }

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    return this.#disk ? this.#disk.read(offset, into) : this.#opening.then((disk) => disk.read(offset, into));
  }

  write(offset: number, from: Uint8Array[]): void | Promise<void> {
    const disk = this.#disk;
    if (!disk) return this.#opening.then(() => this.write(offset, from));
    try {
      disk.write(offset, from);
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error;
      return this.#writeAgain(disk, offset, from);
    }
  }

  discard(offset: number, length: number): void | Promise<void> {
    return this.#disk
      ? this.#disk.discard(offset, length)
      : this.#opening.then((disk) => disk.discard(offset, length));
  }

  async flush(): Promise<void> {
    const disk = await this.#opening;
    await this.#whenRoom(() => disk.flush());
  }

  async suspend(): Promise<DiskState> {
    const disk = await this.#opening;
    return this.#isInMemory ? { chunks: [...disk.chunks()] } : { checkpoint: await disk.checkpoint() };
  }

  /** @throws StorageError when the disk has no such checkpoint */
  async resume(state: DiskState): Promise<void> {
    const disk = await this.#opening;
    if ('checkpoint' in state) disk.revert(state.checkpoint);
    else if ('chunks' in state) disk.fill(state.chunks);
  }

  /** Frees what only checkpoints before this one need; without a number, what any needs. */
  async dropCheckpoints(before?: number): Promise<void> {
    await (await this.#opening).dropCheckpoints(before);
  }

  /** Gives a deferred disk its file. Its content is durable afterwards. @throws StorageError */
  async keep(): Promise<void> {
    if (!this.#isInMemory) return;
    const disk = await this.#opening;
    const file = await this.#files.open(this.#name);
    try {
      await disk.moveTo(file);
      this.#isInMemory = false;
    } catch (error) {
      file.close();
      await this.#files.remove(this.#name);
      throw error;
    }
  }

  /** Makes everything durable, and lets go of the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#opening).close();
  }

  /** Frees discarded chunks and tries again. Metadata then waits for room, and data is refused. */
  async #writeAgain(disk: KeptDisk, offset: number, from: Uint8Array[]): Promise<void> {
    await disk.reclaim().catch(() => {});
    if (disk.isMetadata(offset, lengthOf(from))) await this.#whenRoom(() => disk.write(offset, from));
    else disk.write(offset, from);
  }

  /**
   * Waits while the store is full. If metadata or a flush failed, Linux would make the file system
   * read-only.
   */
  async #whenRoom(action: () => void | Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof StorageFullError) || this.#isClosed) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, FULL_PAUSE));
    }
  }

  async #open(options: KeptDiskOptions): Promise<KeptDisk> {
    const file = await this.#files.open(this.#name);
    try {
      this.#disk = await KeptDisk.open(file, options);
      return this.#disk;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}
