/** Shows what the owner of a container sends. */
import type { RawData, WebSocket } from 'ws';
import { CommandError } from './errors.ts';
import type { OwnerMessage } from './owner-protocol.ts';
import { write } from './program.ts';

/** The status of a process whose container was killed. */
const STATUS_KILLED = 137;

/**
 * Writes output to this process's standard streams until the owner tells an exit status.
 * @returns the status; that of a killed process if the container ends before that
 * @throws CommandError
 */
export function showOutput(socket: WebSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    let writing = Promise.resolve();
    const fail = (error: unknown) => {
      socket.terminate();
      reject(error);
    };
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        // The owner waits until the reader of our output has read.
        socket.pause();
        writing = writing.then(() => show(data)).finally(() => socket.resume());
        writing.catch(fail);
        return;
      }
      const message = parse(data);
      if (message?.type === 'exit') writing.then(() => resolve(message.status)).catch(fail);
      else fail(new CommandError(message?.message ?? 'the owner of the container sends nonsense'));
    });
    socket.once('error', (cause) =>
      fail(new CommandError(`the container has gone: ${cause.message}`, 1, { cause })),
    );
    socket.once('close', () => void writing.then(() => resolve(STATUS_KILLED), fail));
  });
}

async function show(data: Buffer): Promise<void> {
  const stream = data[0] === 1 ? process.stdout : process.stderr;
  await write(stream, data.subarray(1)).catch((cause) => {
    throw new CommandError(`cannot write output: ${cause.code}`, 1, { cause });
  });
}

function parse(data: RawData): OwnerMessage | undefined {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
