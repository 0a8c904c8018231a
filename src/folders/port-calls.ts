/** Calls to another thread, whose failures are FolderErrors: the two ends of a message channel. */
import { FolderError } from './shared-folder.ts';

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly message: string };

/** Answers a call that a `PortCalls` at the other end has made. What cannot be sent is EIO there. */
export async function sendAnswer(port: MessagePort, id: number, value: Promise<unknown>): Promise<void> {
  const send = (answer: Answer) => port.postMessage(answer);
  try {
    send({ id, value: await value });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    send({ id, code: typeof code === 'string' ? code : 'EIO', message: String(message) });
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
