/** The files of a running container. */

import type {
  ContainerFiles,
  MakeOptions,
  ReadOptions,
  RemoveOptions,
  RenameOptions,
  WatchOptions,
  WriteOptions,
} from '../container/container-files.ts';
import type { FileChange, FileStatus, FolderEntry } from '../machine/machine.ts';
import { checkBytes } from '../options/check.ts';

export interface ReaddirOptions {
  readonly withFileTypes?: boolean | undefined;
}

/**
 * The files of a running container, after `node:fs/promises`. All methods have the rights of the container's
 * root, and fail with a FileError.
 */
export interface ContainerFs {
  /** The content of a file. */
  readFile(path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** The content as it arrives. The stream fails with a FileError. */
  createReadStream(path: string, options?: ReadOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Writes a new file, or replaces one. It appears when it is complete, or not at all. */
  writeFile(
    path: string,
    content: Uint8Array | string | ReadableStream<Uint8Array>,
    options?: WriteOptions,
  ): Promise<void>;
  /** The names in a folder, in no particular order. */
  readdir(path: string, options?: { readonly withFileTypes?: false | undefined }): Promise<string[]>;
  /** The names in a folder, each with the status of its file. */
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<FolderEntry[]>;
  /** The files of a folder of any size, as they arrive, in no particular order. */
  opendir(path: string): AsyncIterable<FolderEntry>;
  /** The status of a file, or of the one that a link leads to. */
  stat(path: string): Promise<FileStatus>;
  /** The same, but a link at the end of the path is the file itself. */
  lstat(path: string): Promise<FileStatus>;
  /** Makes a folder. */
  mkdir(path: string, options?: MakeOptions): Promise<void>;
  /** Removes a file or an empty folder; with `recursive` any folder. */
  rm(path: string, options?: RemoveOptions): Promise<void>;
  /** Renames a file or folder. Replaces nothing, unless asked to. */
  rename(path: string, newPath: string, options?: RenameOptions): Promise<void>;
  /**
   * Watches a file, or what is in a folder, from the call on; leaving the loop ends that. It ends when the
   * file is removed, and throws the signal's reason.
   */
  watch(path: string, options?: WatchOptions): AsyncIterable<FileChange>;
}

export class Files implements ContainerFs {
  readonly #files: ContainerFiles;

  constructor(files: ContainerFiles) {
    this.#files = files;
  }

  async readFile(path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    const content = await this.#files.readFile(path, options);
    return new Uint8Array(await new Response(content).arrayBuffer());
  }

  createReadStream(path: string, options?: ReadOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
    let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
    return new ReadableStream(
      {
        pull: async (controller) => {
          reader ??= (await this.#files.readFile(path, options)).getReader();
          const { value } = await reader.read();
          if (value) controller.enqueue(value);
          else controller.close();
        },
        cancel: (reason) => reader?.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  async writeFile(
    path: string,
    content: Uint8Array | string | ReadableStream<Uint8Array>,
    options?: WriteOptions,
  ): Promise<void> {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    if (!(bytes instanceof ReadableStream)) checkBytes(bytes);
    return this.#files.writeFile(path, bytes, options);
  }

  readdir(path: string, options?: { readonly withFileTypes?: false | undefined }): Promise<string[]>;
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<FolderEntry[]>;
  async readdir(path: string, { withFileTypes = false }: ReaddirOptions = {}) {
    const entries: FolderEntry[] = [];
    for await (const entry of this.opendir(path)) entries.push(entry);
    return withFileTypes ? entries : entries.map(({ name }) => name);
  }

  opendir(path: string): AsyncIterable<FolderEntry> {
    return this.#files.readdir(path);
  }

  stat(path: string): Promise<FileStatus> {
    return this.#files.stat(path);
  }

  lstat(path: string): Promise<FileStatus> {
    return this.#files.lstat(path);
  }

  mkdir(path: string, options?: MakeOptions): Promise<void> {
    return this.#files.mkdir(path, options);
  }

  rm(path: string, options?: RemoveOptions): Promise<void> {
    return this.#files.rm(path, options);
  }

  rename(path: string, newPath: string, options?: RenameOptions): Promise<void> {
    return this.#files.rename(path, newPath, options);
  }

  watch(path: string, options?: WatchOptions): AsyncIterable<FileChange> {
    return this.#files.watch(path, options);
  }
}
