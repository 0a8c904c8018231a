/** Reads and changes files of a container through the guest's agent. */

import { ChangeReader, RecordReader } from '../machine/file-records.ts';
import type {
  FileChange,
  FileReading,
  FileStatus,
  FileTask,
  FileWriting,
  FolderEntry,
} from '../machine/machine.ts';
import { SIGKILL } from '../options/signals.ts';
import { chunks } from '../streams/chunks.ts';
import { concat } from '../streams/concat.ts';
import { printable } from '../text/byte-text.ts';
import { FileError } from './errors.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const MAX_CHUNK = 64 * 1024;
/** The agent's exit status for incomplete content. */
const INTERRUPTED = 2;
/** The agent's line about a failure: `ENOENT: no such file or directory`. */
const REASON = /^(?:LinuxRun: )?(?:(?<code>E[A-Z0-9]+): )?(?<reason>.*)/;

/**
 * Returns the content of a file that is being read.
 * @param signal ends the download, and its stream with the signal's reason
 * @throws FileError if it cannot be opened. If it cannot be read to its end, the stream errors with a
 *   FileError
 */
export async function readContent(
  reading: FileReading,
  path: string,
  signal?: AbortSignal,
): Promise<ReadableStream<Bytes>> {
  // The guest may wait for a file system instead of the stream.
  const kill = () => reading.kill(SIGKILL);
  signal?.addEventListener('abort', kill, { once: true });
  const outcome = outcomeOf(reading).finally(() => signal?.removeEventListener('abort', kill));
  // A reader that has stopped does not need the error.
  outcome.catch(() => {});
  const reader = reading.content.getReader();
  const next = async () => {
    const { value } = await reader.read();
    signal?.throwIfAborted();
    if (!value) check(await outcome, `read ${printable(path)}`);
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
      cancel: (reason) => {
        kill();
        return reader.cancel(reason);
      },
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
  const outcome = await outcomeOf(writing).finally(() => refused.abort());
  const failure = outcome.status === INTERRUPTED ? await sending : undefined;
  if (failure) throw failure.cause;
  check(outcome, `write ${printable(path)}`);
}

/**
 * Yields the files of a folder that is being listed. When the caller leaves the loop, the guest stops.
 * @throws FileError
 */
export async function* readEntries(reading: FileReading, path: string): AsyncGenerator<FolderEntry> {
  const doing = `list ${printable(path)}`;
  const outcome = outcomeOf(reading);
  outcome.catch(() => {});
  try {
    const records = new RecordReader();
    for await (const bytes of chunks(reading.content)) yield* wellFormed(() => records.push(bytes), doing);
    check(await outcome, doing);
    wellFormed(() => records.end(), doing);
  } finally {
    // The guest may wait for a file system instead of the stream.
    reading.kill(SIGKILL);
    reading.content.cancel().catch(() => {});
  }
}

/** @throws FileError */
export async function readStatus(reading: FileReading, path: string): Promise<FileStatus> {
  const entries: FolderEntry[] = [];
  for await (const entry of readEntries(reading, path)) entries.push(entry);
  const [entry] = entries;
  if (!entry) throw malformed(`list ${printable(path)}`);
  const { name, ...status } = entry;
  return status;
}

/**
 * Yields the changes of a file that is being watched, until there is nothing left to watch. When the caller
 * leaves the loop, the guest stops.
 * @throws FileError or the signal's reason
 */
export async function* readChanges(
  reading: FileReading,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<FileChange, void> {
  const doing = `watch ${printable(path)}`;
  const outcome = outcomeOf(reading);
  outcome.catch(() => {});
  const kill = () => reading.kill(SIGKILL);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    signal?.throwIfAborted();
    const records = new ChangeReader();
    for await (const bytes of chunks(reading.content)) yield* wellFormed(() => records.push(bytes), doing);
    signal?.throwIfAborted();
    check(await outcome, doing);
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
    reading.content.cancel().catch(() => {});
  }
}

/**
 * Waits for the end of a request.
 * @param doing what it does, for the message of an error
 * @param signal ends it early
 * @throws FileError, or the signal's reason
 */
export async function complete(task: FileTask, doing: string, signal?: AbortSignal): Promise<void> {
  const kill = () => task.kill(SIGKILL);
  signal?.addEventListener('abort', kill, { once: true });
  const outcome = await outcomeOf(task).finally(() => signal?.removeEventListener('abort', kill));
  if (outcome.status !== 0) signal?.throwIfAborted();
  check(outcome, doing);
}

/** @throws FileError if the guest, which is not trusted, sends something else than records */
function wellFormed<T>(read: () => T, doing: string): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? malformed(doing) : error;
  }
}

function malformed(doing: string): FileError {
  return new FileError(`cannot ${doing}: the guest's answer is malformed`);
}

interface Outcome {
  readonly status: number;
  /** The reason of a failure, and Linux's name for it. */
  readonly reason?: string;
  readonly code?: string | undefined;
}

async function outcomeOf({ exit, messages }: FileTask): Promise<Outcome> {
  const [status, text] = await Promise.all([exit, new Response(messages).text()]);
  if (status === 0) return { status };
  const { code, reason } = REASON.exec(text.trim())?.groups ?? {};
  return { status, code, reason: reason || `it ended with status ${status}` };
}

function check({ reason, code }: Outcome, doing: string): void {
  if (reason !== undefined) throw new FileError(`cannot ${doing}: ${reason}`, code);
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
