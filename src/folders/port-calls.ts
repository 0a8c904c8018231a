/** Calls to another thread, whose failures are FolderErrors: the two ends of a message channel. */
import { FolderError } from './shared-folder.ts';

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };

/** What to send for a call that a `PortCalls` has made. */
export async function answerOf(id: number, value: Promise<unknown>): Promise<Answer> {
  try {
    return { id, value: await value };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return { id, code: typeof code === 'string' ? code : 'EIO', message: String(message) };
  }
}

/** A call before it has a number. */
export type Unnumbered<Call> = Call extends { readonly id: number } ? Omit<Call, 'id'> : never;

/** Sends calls through a port, and receives their answers. */
export class PortCalls<Call> {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
  }

  make<T>(call: Unnumbered<Call>): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#port.postMessage({ ...call, id });
    });
  }

  #receive(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('code' in answer) pending?.reject(new FolderError(answer.code, answer.message));
    else pending?.resolve(answer.value);
  }
}
