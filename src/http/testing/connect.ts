import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import type { Connect, Duplex } from '../connection.ts';

/** The streams of a socket of Node. A write is complete when the system has taken the bytes. */
export function duplexOf(socket: Socket): Duplex {
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

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** Lets a server of any protocol listen, until it is disposed of. */
export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A server that calls `serve` for each connection, with whatever it wants to send. */
export const listenRaw = (serve: (socket: Socket) => void): Promise<TestServer> =>
  listen(createServer({ allowHalfOpen: true }, serve));
