import { type Deferred, deferred } from './deferred.ts';
import { type PackedError, unpackError } from './errors.ts';
import type { DiskRequest } from './protocol.ts';

/** The owner's requests about the kept disk, which are answered in their order. */
export class DiskRequests {
  readonly #send: (request: DiskRequest) => void;
  readonly #pending: Deferred<void>[] = [];
  #error: Error | undefined;

  constructor(send: (request: DiskRequest) => void) {
    this.#send = send;
  }

  request(request: DiskRequest): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    const answer = deferred<void>();
    this.#pending.push(answer);
    this.#send(request);
    return answer.promise;
  }

  done(): void {
    this.#pending.shift()?.resolve();
  }

  failed(error: PackedError): void {
    this.#pending.shift()?.reject(unpackError(error));
  }

  /** The machine has ended. */
  destroy(error: Error): void {
    this.#error = error;
    for (const answer of this.#pending.splice(0)) answer.reject(error);
  }
}
