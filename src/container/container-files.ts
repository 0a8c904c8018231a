import type {
  ContainerHandle,
  FileChange,
  FileRequests,
  FileStatus,
  FolderEntry,
} from '../machine/machine.ts';
import { printable } from '../text/byte-text.ts';
import { absolute } from './absolute.ts';
import { complete, readChanges, readContent, readEntries, readStatus, writeContent } from './files.ts';

/** Options of reading a file. */
export interface ReadOptions {
  /** Aborts the download. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of writing a file. */
export interface WriteOptions {
  /** Permissions; by default those of the replaced file, or 0644. */
  readonly mode?: number | undefined;
  /** Aborts the upload, which leaves the file unchanged. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of making a folder. */
export interface MakeOptions {
  /** Permissions; by default 0755. */
  readonly mode?: number | undefined;
  /** Makes missing parents too, with the same permissions, and accepts a folder that exists. */
  readonly recursive?: boolean | undefined;
}

/** Options of removing files. */
export interface RemoveOptions {
  /** Removes a folder with its contents. */
  readonly recursive?: boolean | undefined;
  /** Stops the removal, which leaves the rest. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of watching. */
export interface WatchOptions {
  /** Watches the folders below as well, but enters no other file system. */
  readonly recursive?: boolean | undefined;
  /** Ends the watch, which fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of renaming. */
export interface RenameOptions {
  /** Replaces a file, or an empty folder, that has the new name. */
  readonly replace?: boolean | undefined;
}

/** The files of a running container. */
export class ContainerFiles {
  readonly #requests: FileRequests;
  readonly #container: ContainerHandle;

  constructor(requests: FileRequests, container: ContainerHandle) {
    this.#requests = requests;
    this.#container = container;
  }

  /**
   * Reads a file with the rights of its root. Links are followed within the container.
   * @param path absolute path of a regular file
   * @throws FileError or the signal's reason, also as the stream's error; MachineError if the machine ends
   */
  async readFile(
    path: string,
    { signal }: ReadOptions = {},
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    signal?.throwIfAborted();
    return readContent(this.#requests.read(this.#container, absolute(path)), path, signal);
  }

  /**
   * Writes a file with the rights of its root: a new one, or a replacement for a regular
   * one. It appears when it is complete, or not at all. Its folder must exist.
   * @param path absolute; a link at its end is followed
   * @throws FileError, the error of `content`, or the signal's reason; MachineError if the machine ends
   */
  async writeFile(
    path: string,
    content: ReadableStream<Uint8Array> | Uint8Array,
    { mode, signal }: WriteOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const stream = content instanceof Uint8Array ? new Blob([new Uint8Array(content)]).stream() : content;
    return writeContent(this.#requests.write(this.#container, absolute(path), mode), path, stream, signal);
  }

  /**
   * Lists a folder of the container, in no particular order. Files appear as they arrive; leaving the loop
   * ends the listing, so a folder of any size can be looked at.
   * @param path absolute; links are followed
   * @throws FileError, also during the iteration; MachineError if the machine ends
   */
  readdir(path: string): AsyncGenerator<FolderEntry> {
    return readEntries(this.#requests.list(this.#container, absolute(path)), path);
  }

  /**
   * Watches a file, or what is in a folder, from the call on. Leaving the loop ends that. Changes are lost if
   * 16384 of them wait to be taken. It ends when the file is removed.
   * @param path absolute; links are followed
   * @throws FileError or the signal's reason during the iteration; MachineError if the machine ends
   */
  watch(path: string, { recursive = false, signal }: WatchOptions = {}): AsyncGenerator<FileChange, void> {
    const clean = absolute(path).replace(/(?<=.)\/+$/, '');
    return readChanges(this.#requests.watch(this.#container, clean, recursive), path, signal);
  }

  /**
   * Reads the status of a file, without opening it.
   * @param path absolute; links are followed
   * @throws FileError, MachineError if the machine ends
   */
  async stat(path: string): Promise<FileStatus> {
    return readStatus(this.#requests.stat(this.#container, absolute(path), true), path);
  }

  /** The same, but a link at the end of the path is the file itself. */
  async lstat(path: string): Promise<FileStatus> {
    return readStatus(this.#requests.stat(this.#container, absolute(path), false), path);
  }

  /**
   * Makes a folder, which belongs to root.
   * @throws FileError: `EEXIST` if it exists, unless `recursive`; MachineError if the machine ends
   */
  async mkdir(path: string, { mode = 0o755, recursive = false }: MakeOptions = {}): Promise<void> {
    const task = this.#requests.makeFolder(this.#container, absolute(path), mode, recursive);
    await complete(task, `make ${printable(path)}`);
  }

  /**
   * Removes a file, a link (not the file that it leads to), or an empty folder; with `recursive`, any folder.
   * It stops at the first file that cannot be removed. It follows no link and removes nothing from a file
   * system that is mounted in the folder.
   * @throws FileError: `ENOTEMPTY` if a folder is not empty, unless `recursive`; the signal's reason;
   *   MachineError if the machine ends
   */
  async rm(path: string, { recursive = false, signal }: RemoveOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    const task = this.#requests.remove(this.#container, absolute(path), recursive);
    await complete(task, `remove ${printable(path)}`, signal);
  }

  /**
   * Renames or moves a file, a link or a folder, within a file system.
   * @throws FileError: `EEXIST` if the new name is taken, unless `replace`; MachineError if the machine ends
   */
  async rename(path: string, newPath: string, { replace = false }: RenameOptions = {}): Promise<void> {
    const task = this.#requests.rename(this.#container, absolute(path), absolute(newPath), replace);
    await complete(task, `rename ${printable(path)} to ${printable(newPath)}`);
  }
}
