/** The locks of a machine for its folders' thread: the two ends of a message channel. */
import type { LockHolder, LockTable } from './locks.ts';
import { PortCalls, sendAnswer } from './port-calls.ts';

type Method = 'find' | 'lock' | 'unlock';

type Call =
  | { readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly method: 'interrupt'; readonly wait: number }
  | { readonly method: 'release' };

/** Carries out the calls of a `RemoteLocks` at the other end. @returns how it ends, with all locks let go */
export function serveLocks(table: LockTable, port: MessagePort): () => void {
  const holder = table.addHolder();
  const perform = async ({ method, args }: Extract<Call, { id: number }>): Promise<unknown> =>
    (holder[method] as (...args: readonly unknown[]) => Promise<unknown>).apply(holder, args as unknown[]);
  port.onmessage = ({ data }: MessageEvent<Call>) => {
    if (data.method === 'interrupt') holder.interrupt(data.wait);
    else if (data.method === 'release') holder.release();
    else void sendAnswer(port, data.id, perform(data));
  };
  // In Node, the machine keeps the process alive, not the port.
  (port as { unref?(): void }).unref?.();
  return () => {
    port.close();
    table.removeHolder(holder);
  };
}

/** The locks at the other end of a port, which `serveLocks` has. */
export class RemoteLocks implements LockHolder {
  readonly #port: MessagePort;
  readonly #calls: PortCalls<Call>;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#calls = new PortCalls(port);
  }

  find(...args: Parameters<LockHolder['find']>): ReturnType<LockHolder['find']> {
    return this.#calls.make({ method: 'find', args });
  }

  lock(...args: Parameters<LockHolder['lock']>): ReturnType<LockHolder['lock']> {
    return this.#calls.make({ method: 'lock', args });
  }

  unlock(...args: Parameters<LockHolder['unlock']>): ReturnType<LockHolder['unlock']> {
    return this.#calls.make({ method: 'unlock', args });
  }

  interrupt(wait: number): void {
    this.#port.postMessage({ method: 'interrupt', wait } satisfies Call);
  }

  release(): void {
    this.#port.postMessage({ method: 'release' } satisfies Call);
  }
}
