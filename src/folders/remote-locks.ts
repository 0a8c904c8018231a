/** The locks of a machine for its folders' thread: the two ends of a message channel. */
import type { LockHolder } from './locks.ts';
import { FolderError } from './shared-folder.ts';

type Method = 'find' | 'lock' | 'unlock';

type Call =
  | { readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly method: 'interrupt'; readonly wait: number }
  | { readonly method: 'release' };

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string };

/** Carries out the calls of a `RemoteLocks` at the other end. @returns how it ends, with all locks let go */
export function serveLocks(holder: LockHolder, port: MessagePort): () => void {
  const perform = async (call: Extract<Call, { id: number }>): Promise<Answer> => {
    const method = holder[call.method] as (...args: readonly unknown[]) => Promise<unknown>;
    try {
      return { id: call.id, value: await method.apply(holder, call.args as unknown[]) };
    } catch (error) {
      return { id: call.id, code: (error as { code?: string }).code ?? 'EIO' };
    }
  };
  port.onmessage = async ({ data }: MessageEvent<Call>) => {
    if (data.method === 'interrupt') holder.interrupt(data.wait);
    else if (data.method === 'release') holder.release();
    else port.postMessage(await perform(data));
  };
  // In Node, the machine keeps the process alive, not the port.
  (port as { unref?(): void }).unref?.();
  return () => {
    port.close();
    holder.release();
  };
}

/** The locks at the other end of a port, which `serveLocks` has. */
export class RemoteLocks implements LockHolder {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Answer>) => {
      const pending = this.#pending.get(data.id);
      this.#pending.delete(data.id);
      if ('code' in data) pending?.reject(new FolderError(data.code));
      else pending?.resolve(data.value as never);
    };
  }

  find(...args: Parameters<LockHolder['find']>): ReturnType<LockHolder['find']> {
    return this.#call('find', args);
  }

  lock(...args: Parameters<LockHolder['lock']>): ReturnType<LockHolder['lock']> {
    return this.#call('lock', args);
  }

  unlock(...args: Parameters<LockHolder['unlock']>): ReturnType<LockHolder['unlock']> {
    return this.#call('unlock', args);
  }

  interrupt(wait: number): void {
    this.#port.postMessage({ method: 'interrupt', wait } satisfies Call);
  }

  release(): void {
    this.#port.postMessage({ method: 'release' } satisfies Call);
  }

  #call<T>(method: Method, args: readonly unknown[]): Promise<T> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#port.postMessage({ id, method, args } satisfies Call);
    });
  }
}
