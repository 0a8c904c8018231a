/** The messages between the owner of a session and a worker that saves or loads it. */
import { type Deferred, deferred } from '../../machine/deferred.ts';
import { type PackedError, packError, unpackError } from '../../machine/errors.ts';
import type { DiskFiles } from '../../storage/disk-files.ts';
import { StorageError, StorageFullError } from '../../storage/errors.ts';
import { type LoadAnswer, type SaveAnswer, Saver, type SaverRequest } from '../saver.ts';
import type { SaverWorker } from '../savers.ts';

/** The first message to a worker. Requests follow, each after the answer to the one before. */
export interface SaverStart {
  /** The compiled core. */
  readonly emulator: WebAssembly.Module;
  /** Where stored sessions are: a folder in Node. Browsers have one store for each origin. */
  readonly store: string;
}

export type FromSaver = { readonly answer: SaveAnswer | LoadAnswer } | { readonly error: PackedError };

/** The owner's end. */
export class SaverPort implements SaverWorker {
  readonly terminate: () => void;
  readonly #post: (request: SaverRequest) => void;
  #pending: Deferred<SaveAnswer | LoadAnswer> | undefined;
  #failure: Error | undefined;

  constructor(post: (request: SaverRequest) => void, terminate: () => void) {
    this.#post = post;
    this.terminate = terminate;
  }

  save(request: SaverRequest & { readonly type: 'save' }): Promise<SaveAnswer> {
    return this.#ask(request) as Promise<SaveAnswer>;
  }

  load(request: SaverRequest & { readonly type: 'load' }): Promise<LoadAnswer> {
    return this.#ask(request) as Promise<LoadAnswer>;
  }

  receive(message: FromSaver): void {
    if ('answer' in message) this.#pending?.resolve(message.answer);
    else this.#pending?.reject(unpack(message.error));
  }

  /** Tells that the worker has ended by itself. */
  fail(error: Error): void {
    this.#failure = error;
    this.#pending?.reject(error);
  }

  #ask(request: SaverRequest): Promise<SaveAnswer | LoadAnswer> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#pending = deferred();
    this.#post(request);
    return this.#pending.promise;
  }
}

/** The worker's end. @returns what receives the owner's messages */
export function serveSaver(
  openFiles: (store: string) => DiskFiles,
  post: (message: FromSaver) => void,
): (message: SaverStart | SaverRequest) => void {
  let saver: Promise<Saver> | undefined;
  const answer = async (request: SaverRequest) => {
    try {
      post({ answer: await ((await saver) as Saver).answer(request) });
    } catch (error) {
      post({ error: packError(error) });
    }
  };
  return (message) => {
    if ('type' in message) return void answer(message);
    saver = Saver.create(openFiles(message.store), message.emulator);
    // The first request tells the error.
    saver.catch(() => {});
  };
}

function unpack(error: PackedError): Error {
  const { name, message } = error;
  if (name === 'StorageFullError') return new StorageFullError(message);
  if (name === 'StorageError') return new StorageError(message);
  return unpackError(error);
}
