import {
  type ContainerDisks,
  encodeExport,
  encodeListFolder,
  encodeMakeFolder,
  encodeReadFile,
  encodeRemoveFile,
  encodeRenameFile,
  encodeStatFile,
  encodeWatchFile,
  encodeWriteFile,
  type FileRequest,
  type ProcessRequest,
} from './agent-requests.ts';
import type { ContainerHandle, ContainerProcess, Output } from './guest-process.ts';

/** A request for a file of a container: `exit` is 0, or the reason is a line of `messages`. */
export type FileTask = Pick<ContainerProcess, 'exit' | 'messages' | 'kill'>;

export interface FileReading extends FileTask {
  /** The file's content, or the records of a listing. It is complete only if `exit` is 0. */
  readonly content: Output;
}

export interface FileWriting extends FileTask {
  /** Takes the content as the agent protocol's chunks. */
  readonly chunks: WritableStream<Uint8Array>;
}

export type EncodeRequest = (head: ProcessRequest) => Uint8Array;

/** Sends requests to the guest's agent. */
export interface FileRequestSender {
  startReading(encode: EncodeRequest): FileReading;
  startWriting(encode: EncodeRequest): FileWriting;
  startTask(encode: EncodeRequest): FileTask;
}

/**
 * Requests for files of the machine's containers. Paths are absolute. All throw an OptionError if they exceed
 * 1 MiB, or a path holds NUL.
 */
export class FileRequests {
  readonly #sender: FileRequestSender;

  constructor(sender: FileRequestSender) {
    this.#sender = sender;
  }

  read(container: ContainerHandle, path: string): FileReading {
    return this.#sender.startReading(about(container, path, encodeReadFile));
  }

  /** @param mode permissions; by default those of the file that is replaced, or else 0644 */
  write(container: ContainerHandle, path: string, mode?: number): FileWriting {
    return this.#sender.startWriting(about(container, path, (request) => encodeWriteFile(request, mode)));
  }

  /** Lists a folder: the content is records. */
  list(container: ContainerHandle, path: string): FileReading {
    return this.#sender.startReading(about(container, path, encodeListFolder));
  }

  /**
   * Reads the status of a file: the content is one record.
   * @param followsLink whether a link at the end of the path is followed
   */
  stat(container: ContainerHandle, path: string, followsLink: boolean): FileReading {
    return this.#sender.startReading(
      about(container, path, (request) => encodeStatFile(request, followsLink)),
    );
  }

  /**
   * Watches a file, or what is in a folder: the content is records of changes.
   * @param recursive watches the folders below as well
   */
  watch(container: ContainerHandle, path: string, recursive: boolean): FileReading {
    return this.#sender.startReading(
      about(container, path, (request) => encodeWatchFile(request, recursive)),
    );
  }

  /** @param withParents makes missing parents too, and accepts a folder that exists */
  makeFolder(container: ContainerHandle, path: string, mode: number, withParents: boolean): FileTask {
    return this.#sender.startTask(
      about(container, path, (request) => encodeMakeFolder(request, mode, withParents)),
    );
  }

  /** @param recursive removes a folder with its contents */
  remove(container: ContainerHandle, path: string, recursive: boolean): FileTask {
    return this.#sender.startTask(about(container, path, (request) => encodeRemoveFile(request, recursive)));
  }

  /** @param replace replaces a file that has the new name */
  rename(container: ContainerHandle, path: string, newPath: string, replace: boolean): FileTask {
    return this.#sender.startTask(
      about(container, path, (request) => encodeRenameFile(request, newPath, replace)),
    );
  }

  /**
   * Reads what a container has changed in its image, as the tar of an OCI layer. One that runs is frozen
   * meanwhile. One that does not run is named by its disks.
   */
  exportChanges(changed: ContainerHandle | ContainerDisks): FileReading {
    const name = 'name' in changed ? changed.name : changed;
    return this.#sender.startReading((head) => encodeExport({ ...head, changed: name }));
  }
}

function about(
  { name }: ContainerHandle,
  path: string,
  encode: (request: FileRequest) => Uint8Array,
): EncodeRequest {
  return (head) => encode({ ...head, container: name, path });
}
