import { createHash } from 'node:crypto';
import { algorithmOf, type Digest } from '../../oci/digest.ts';
import type { CacheWriter } from './cache.ts';
import { CLIENT_LEFT, type Deadline } from './deadline.ts';
import { badGateway, brokenOff, ProxyError } from './errors.ts';

export interface RelayOptions {
  /** Who sends, for messages. */
  readonly host: string;
  /** How many bytes have to come, if that is known. */
  readonly length: number | undefined;
  /** How many may come at most. */
  readonly limit: number;
  /** What the bytes have to hash to, when they are a whole blob. */
  readonly digest: Digest | undefined;
  /** Keeps them, if they are right. */
  readonly writer: CacheWriter | undefined;
  /** Longest pause of sender or receiver, ms. */
  readonly stall: number;
  readonly deadline: Deadline;
}

/**
 * Passes bytes on as fast as they are taken, and checks them. The last piece is held back until all is
 * checked: a receiver that was told the length never has the whole of something wrong.
 */
export async function* relay(
  source: AsyncIterable<Uint8Array>,
  { host, length, limit, digest, writer, stall, deadline }: RelayOptions,
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
      throw badGateway(`${host} sent something else than ${digest}`);
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
 * A body that reads only when the client takes more.
 * @param bytes which end soon after the deadline's signal
 * @param onEnd called when all is sent or given up, perhaps more than once
 */
export function toBody(
  bytes: AsyncGenerator<Uint8Array, void, void>,
  deadline: Deadline,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const stop = async () => {
    // A generator that was never begun has nothing that `return` would end.
    await bytes.next().catch(() => {});
    await bytes.return().catch(() => {});
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const onAbort = () => {
          // A client that does not read would otherwise not notice, and keep its place.
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
