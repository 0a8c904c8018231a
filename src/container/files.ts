/** Transfers files of a container through the guest's agent. */
import { concat } from '../machine/agent-protocol.ts';
import type { FileReading, FileWriting } from '../machine/machine.ts';
import { FileError } from './errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAX_CHUNK = 64 * 1024;
/** The agent's exit status for incomplete content. */
const INTERRUPTED = 2;

/**
 * Returns the content of a file that is being read.
 * @throws FileError if it cannot be opened. If it cannot be read to its end, the stream errors with a
 *   FileError
 */
export async function readContent(reading: FileReading, path: string): Promise<ReadableStream<Bytes>> {
  const outcome = outcomeOf(reading);
  // A reader that has stopped does not need the error.
  outcome.catch(() => {});
  const reader = reading.content.getReader();
  const next = async () => {
    const { value } = await reader.read();
    const { reason } = value ? {} : await outcome;
    if (reason !== undefined) throw new FileError(`cannot read ${path}: ${reason}`);
    return value;
  };
  let first = await next();
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = first ?? (await next());
        first = undefined;
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/**
 * Sends the content of a file that is being written.
 * @param signal aborts the upload, which leaves the file unchanged
 * @throws FileError if the guest cannot write it, the error of `content`, or the signal's reason
 */
export async function writeContent(
  writing: FileWriting,
  path: string,
  content: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const refused = new AbortController();
  const either = AbortSignal.any(signal ? [signal, refused.signal] : [refused.signal]);
  const sending = content
    .pipeThrough(chunked())
    .pipeTo(writing.chunks, { signal: either })
    .then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    );
  const { status, reason } = await outcomeOf(writing).finally(() => refused.abort());
  const failure = status === INTERRUPTED ? await sending : undefined;
  if (failure) throw failure.cause;
  if (reason !== undefined) throw new FileError(`cannot write ${path}: ${reason}`);
}

interface Outcome {
  readonly status: number;
  /** The reason of a failure. */
  readonly reason?: string;
}

async function outcomeOf({ exit, messages }: FileReading | FileWriting): Promise<Outcome> {
  const [status, text] = await Promise.all([exit, new Response(messages).text()]);
  const reason = text.trim().replace(/^LinuxRun: /, '');
  return status === 0 ? { status } : { status, reason: reason || `it ended with status ${status}` };
}

/**
 * Divides content into the agent protocol's chunks: a length and that number of bytes. An empty chunk ends
 * it.
 */
function chunked(): TransformStream<Uint8Array, Bytes> {
  return new TransformStream({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += MAX_CHUNK)
        controller.enqueue(chunk(bytes.subarray(at, at + MAX_CHUNK)));
    },
    flush: (controller) => controller.enqueue(chunk(new Uint8Array())),
  });
}

function chunk(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return concat([length, bytes]);
}
