/** Streams of processes that may not have started yet. */
import { concat } from '../streams/concat.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * A stream to a process that is still starting.
 * @param onInput called before each write
 */
export function laterInput(
  target: Promise<WritableStream<Uint8Array>>,
  onInput = () => {},
): WritableStream<Uint8Array> {
  const writer = target.then((stream) => stream.getWriter());
  writer.catch(() => {});
  return new WritableStream({
    write: async (bytes) => {
      onInput();
      await (await writer).write(bytes);
    },
    close: async () => (await writer).close(),
    abort: async (reason) => (await writer).abort(reason),
  });
}

/**
 * The bytes of several streams of a process that is still starting, as they arrive.
 * @param holding how to keep Node's process alive while a reader waits
 * @param failed rejects to end the stream with its reason
 */
export function laterOutput(
  sources: readonly Promise<ReadableStream<Bytes>>[],
  holding: Promise<() => () => void>,
  failed: Promise<never>,
): ReadableStream<Bytes> {
  const readers = sources.map((source) => source.then((stream) => stream.getReader()));
  for (const reader of readers) reader.catch(() => {});
  const idle = [...readers];
  const arrived: Bytes[] = [];
  let open = readers.length;
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  const fail = (error: unknown) => {
    failure ??= { error };
    wake();
  };
  failed.catch(fail);
  const read = async (reader: (typeof readers)[number]) => {
    const { value } = await (await reader).read();
    if (value) {
      arrived.push(value);
      idle.push(reader);
    } else {
      open--;
    }
    wake();
  };
  const isWaiting = () => arrived.length === 0 && open > 0 && !failure;
  const wait = async () => {
    let release = () => {};
    holding.then(
      (hold) => {
        if (isWaiting()) release = hold();
      },
      () => {},
    );
    while (isWaiting()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    release();
  };
  return new ReadableStream(
    {
      async pull(controller) {
        for (const reader of idle.splice(0)) read(reader).catch(fail);
        if (isWaiting()) await wait();
        if (failure) throw failure.error;
        const bytes = arrived.shift();
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      },
      async cancel(reason) {
        await Promise.allSettled(readers.map(async (reader) => (await reader).cancel(reason)));
      },
    },
    { highWaterMark: 0 },
  );
}

export function emptyOutput(): ReadableStream<Bytes> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** Refuses all that is written. */
export function refusingInput(reason: Error): WritableStream<Uint8Array> {
  return new WritableStream({ start: (controller) => controller.error(reason) });
}

/** @throws TypeError if the stream is in use */
export async function readAll(stream: ReadableStream<Bytes>, name: string): Promise<Bytes> {
  if (stream.locked)
    throw new TypeError(`${name} is being read elsewhere: read it there to its end, and call wait() instead`);
  const parts: Bytes[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
  return concat(parts);
}
