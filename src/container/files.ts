/** Files of a container, carried by the guest's agent. */
import { concat } from '../machine/agent-protocol.ts';
import type { FileReading, FileWriting } from '../machine/machine.ts';
import { FileError } from './errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAX_CHUNK = 64 * 1024;
/** The agent's exit status for content that ended before it was complete. */
const INTERRUPTED = 2;

/**
 * The content of a file that is being read.
 * @throws FileError when it cannot be opened; when it cannot be read to its end, the stream errors with one
 */
export async function readContent(reading: FileReading, path: string): Promise<ReadableStream<Bytes>> {
  const outcome = outcomeOf(reading);
  // Whoever reads no further does not care.
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
 * Gives a file that is being written its content.
 * @param signal gives up, which leaves the file as it was
 * @throws FileError when the guest cannot write it, what `content` fails with, or the signal's reason
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
  /** Unless it is done. */
  readonly reason?: string;
}

async function outcomeOf({ exit, messages }: FileReading | FileWriting): Promise<Outcome> {
  const [status, text] = await Promise.all([exit, new Response(messages).text()]);
  const reason = text.trim().replace(/^LinuxRun: /, '');
  return status === 0 ? { status } : { status, reason: reason || `it ended with status ${status}` };
}

/** Cuts content into the agent protocol's chunks: a length, and so many bytes; one of none says that it is complete. */
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
