/** Carries bytes between streams of the guest and those of the machine's owner. */
import type { Sender } from './stream-mux.ts';
import type { OpenedStream } from './stream-tokens.ts';

const RESET = 'the server reset the connection';

/** Sends the owner's bytes to the guest; resolves when both have closed the stream. */
export async function sendInput(
  input: ReadableStream<Uint8Array>,
  { reader, stream }: OpenedStream,
): Promise<void> {
  // When the guest reads no more, the pipe cancels its source.
  const sent = input.pipeTo(stream.writable).catch(() => {});
  await Promise.all([sent, discard(reader)]);
}

/** Sends the guest's bytes to the owner. */
export async function sendOutput(
  { first, reader }: OpenedStream,
  output: Sender,
  end = () => output.end(),
): Promise<void> {
  try {
    if (first.length > 0) await output.send(first);
    for (let next = await reader.read(); next.value; next = await reader.read())
      await output.send(next.value);
    end();
  } catch (error) {
    // Either the guest reset the stream or nobody reads it: tell the other side.
    output.abort(error instanceof Error ? error.message : String(error));
    reader.cancel().catch(() => {});
  }
}

/**
 * Connects the owner with a server in the guest. When the owner resets the connection, the guest's forwarder
 * is told to do so and closes the stream, because a reset of the stream would look like its end to it.
 */
export function connect(opened: OpenedStream, input: ReadableStream<Uint8Array>, output: Sender): void {
  const { reader, stream } = opened;
  const abandon = (reason: unknown) => {
    output.abort(String(reason));
    reader.cancel().catch(() => {});
  };
  void sendUntilEnd(input, stream.writable, abandon);
  void sendOutput(opened, output, () => (stream.closedAtOnce ? output.abort(RESET) : output.end()));
}

async function sendUntilEnd(
  input: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  onAbort: (reason: unknown) => void,
): Promise<void> {
  const [reader, writer] = [input.getReader(), writable.getWriter()];
  const stopReading = (reason: unknown) => void reader.cancel(reason).catch(() => {});
  writer.closed.catch(stopReading);
  for (;;) {
    const next = await reader.read().catch(onAbort);
    if (!next) return;
    if (next.done) break;
    await writer.ready.catch(() => {});
    writer.write(next.value).catch(() => {});
  }
  writer.close().catch(() => {});
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while ((await reader.read()).value);
  } catch {
    // The guest reset a stream that carried nothing from it anyway.
  }
}
