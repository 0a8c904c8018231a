/**
 * Files that hold the writable disks of kept containers, one for each disk. They are written in place. Their
 * names consist of letters, digits and `-`. All methods reject with a `StorageError` when the storage fails.
 */
export interface DiskFiles {
  /**
   * Opens a file, which is made if it is missing. It has one user at a time.
   * @throws StorageError when it stays in use
   */
  open(name: string): Promise<DiskFile>;
  /** Opens a file to read it, also while it is in use. @returns undefined if there is none */
  openReadOnly(name: string): Promise<ReadableDiskFile | undefined>;
  /**
   * Makes a file at once, in place of any other of that name, and durably.
   * @param fill writes its content
   * @throws StorageFullError, or the error of `fill`; then nothing has changed
   */
  create(name: string, fill: (write: WriteAt) => Promise<void>): Promise<void>;
  /** Bytes of storage that a file takes; 0 if there is none. */
  size(name: string): Promise<number>;
  /** Removes a file. A missing one is no error. */
  remove(name: string): Promise<void>;
  list(): Promise<string[]>;
}

export type WriteAt = (offset: number, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

export interface ReadableDiskFile {
  readonly size: number;
  /** Reads up to `length` bytes, fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * An open file. Reads and writes are immediate, because the system's cache answers them; they are durable
 * after `flush`. Buffers are not of shared memory.
 */
export interface DiskFile {
  readonly size: number;
  /** Fills `into`, which is within the file. */
  read(offset: number, into: Uint8Array<ArrayBuffer>): void;
  /** Writes within the file, or at its end, which grows. @throws StorageFullError */
  write(offset: number, from: Uint8Array<ArrayBuffer>): void;
  /**
   * Cuts the file, or adds zeros for which the storage has room from now on.
   * @throws StorageFullError; the size is then unchanged
   */
  resize(size: number): void;
  /** Makes all earlier writes durable. */
  flush(): void | Promise<void>;
  close(): void;
}
