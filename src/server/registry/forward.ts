import { createHash } from 'node:crypto';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import type { CacheWriter } from './cache.ts';
import { CLIENT_LEFT, type Deadline } from './deadline.ts';
import { badGateway, brokenOff, ProxyError } from './errors.ts';

export interface ForwardOptions {
  /** The sender's name for messages. */
  readonly host: string;
  /** The expected number of bytes, if known. */
  readonly length: number | undefined;
  /** The largest number of bytes. */
  readonly limit: number;
  /** The digest of the bytes, if they are a whole blob. */
  readonly digest: Digest | undefined;
  /** Keeps the bytes if they are valid. */
  readonly writer: CacheWriter | undefined;
  /** The longest pause of sender or receiver, in ms. */
  readonly stall: number;
  readonly deadline: Deadline;
}

/**
 * Passes bytes on as fast as the receiver takes them, and checks them. The last piece waits until everything
 * is checked, so a receiver that knows the length never has all of a wrong blob.
 */
export async function* forward(
  source: AsyncIterable<Uint8Array>,
  { host, length, limit, digest, writer, stall, deadline }: ForwardOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = digest && createHash(algorithmOf(digest));
  const stalled = badGateway(`${host} has stopped sending, or you have stopped reading`);
  let size = 0;
  let held: Uint8Array | undefined;
  try {
    deadline.set(stall, stalled);
    for await (const bytes of source) {
      deadline.signal.throwIfAborted();
      deadline.set(stall, stalled);
      size += bytes.length;
      if (size > Math.min(limit, length ?? limit)) throw badGateway(`${host} sends more than it should`);
      hash?.update(bytes);
      await writer?.write(bytes);
      if (held) yield held;
      held = bytes;
    }
    deadline.signal.throwIfAborted();
    if (length !== undefined && size < length) throw brokenOff(host);
    if (hash && digest !== `${digest?.split(':')[0]}:${hash.digest('hex')}`)
      throw badGateway(`${host} did not send ${digest} but something else`);
    await writer?.commit();
    if (held) yield held;
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw error instanceof ProxyError ? error : brokenOff(host);
  } finally {
    deadline.clear();
    await writer?.abort();
  }
}

/**
 * Makes a body that reads only when the client takes more.
 * @param bytes a source that ends soon after the deadline's signal
 * @param onEnd called when the body is sent or given up, perhaps more than once
 */
export function toBody(
  bytes: AsyncGenerator<Uint8Array, void, void>,
  deadline: Deadline,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const stop = async () => {
    // `return` does not run the cleanup of a generator that has not started.
    await bytes.next().catch(() => {});
    await bytes.return().catch(() => {});
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const onAbort = () => {
          // Otherwise a client that does not read would not notice, and would keep its place.
          if (deadline.signal.reason !== CLIENT_LEFT) controller.error(deadline.signal.reason);
          stop();
        };
        if (deadline.signal.aborted) onAbort();
        else deadline.signal.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        try {
          const { done, value } = await bytes.next();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        onEnd();
      },
      cancel: () => deadline.abort(CLIENT_LEFT),
    },
    { highWaterMark: 0 },
  );
}
