import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** The connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Lets a server of any protocol listen on this computer, until it is disposed of. */
export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://localhost:${port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A server of TCP that calls `serve` for each connection. */
export const listenRaw = (serve: (socket: Socket) => void): Promise<TestServer> =>
  listen(createServer({ allowHalfOpen: true }, serve));
