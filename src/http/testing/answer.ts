import { toBytes } from '../../disk/byte-string.ts';
import type { Connect } from '../connection.ts';

export interface Answered {
  readonly connect: Connect;
  /** Resolves when the client has closed or reset a connection. */
  readonly left: Promise<void>;
}

/**
 * A server that sends these pieces over every connection, whatever it gets, and then closes it.
 * @param open keeps the connection open instead
 */
export function answering(pieces: readonly (string | Uint8Array<ArrayBuffer>)[], open = false): Answered {
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const connect: Connect = async () => {
    const queue = pieces.map((piece) => (typeof piece === 'string' ? toBytes(piece) : piece));
    return {
      readable: new ReadableStream(
        {
          pull(controller) {
            const next = queue.shift();
            if (next) controller.enqueue(next);
            else if (!open) controller.close();
            // A pull that never ends.
            return next || !open ? undefined : new Promise(() => {});
          },
          cancel: leave,
        },
        { highWaterMark: 0 },
      ),
      writable: new WritableStream({ close: leave, abort: leave }),
    };
  };
  return { connect, left };
}
