import type { ContainerProcess } from '../machine/machine.ts';
import type { StartedProcess } from './child.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** The world of a program that is part of the interface. */
export interface BuiltinStreams {
  readonly stdin: ReadableStream<Uint8Array>;
  readonly stdout: WritableStream<Uint8Array>;
  readonly stderr: WritableStream<Uint8Array>;
  /** Takes signals from now on. Until then, one ends the program. */
  onSignal(take: (signal: number) => void): void;
  onResize(take: (columns: number, rows: number) => void): void;
}

/** Writes text to a stream of a program. */
export async function print(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  if (text === '') return;
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
  } finally {
    writer.releaseLock();
  }
}

/** Runs a program that is part of the interface, as a process would run. */
export function startBuiltin(main: (streams: BuiltinStreams) => Promise<number>): StartedProcess {
  const [stdin, stdout, stderr] = [pipe(), pipe(), pipe()];
  let take: ((signal: number) => void) | undefined;
  let resize = (_columns: number, _rows: number) => {};
  const killed = new Promise<number>((resolve) => {
    take = (signal) => resolve(128 + signal);
  });
  const streams: BuiltinStreams = {
    stdin: stdin.readable,
    stdout: stdout.writable,
    stderr: stderr.writable,
    onSignal: (next) => {
      take = next;
    },
    onResize: (next) => {
      resize = next;
    },
  };
  const exit = Promise.race([main(streams), killed]).finally(() => {
    for (const { writable } of [stdout, stderr]) writable.close().catch(() => {});
    stdin.readable.cancel().catch(() => {});
  });
  exit.catch(() => {});
  const process: ContainerProcess = {
    stdin: stdin.writable,
    stdout: stdout.readable,
    stderr: stderr.readable,
    messages: new ReadableStream({ start: (controller) => controller.close() }),
    started: Promise.resolve(true),
    exit,
    kill: (signal) => take?.(signal),
    killAll: () => take?.(9),
    resize: (columns, rows) => resize(columns, rows),
  };
  return { process, hold: () => () => {} };
}

function pipe(): TransformStream<Bytes, Bytes> {
  return new TransformStream();
}
