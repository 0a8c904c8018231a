import { connect as connectSocket, type Socket } from 'node:net';
import type { Connect, Duplex } from '../connection.ts';

/** The streams of a socket of Node. A write is complete when the system has taken the bytes. */
function duplexOf(socket: Socket): Duplex {
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        socket.pause();
        socket.on('data', (bytes) => {
          socket.pause();
          controller.enqueue(new Uint8Array(bytes as Buffer));
        });
        socket.on('end', () => controller.close());
        socket.on('error', (error) => controller.error(error));
      },
      pull: () => void socket.resume(),
      cancel: () => void socket.destroy(),
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    write: (bytes) =>
      new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    close: () => new Promise((resolve) => socket.end(resolve)),
    abort: () => void socket.resetAndDestroy(),
  });
  return { readable, writable };
}

/** Connects to servers on this computer. */
export const connectLocally: Connect = (port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true, ...(signal && { signal }) });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(duplexOf(socket));
    });
  });
