/** The socket of a running container's owner, by which other commands reach the container. */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { FileError } from '../api/errors.ts';
import type { CommitOptions } from '../api/local-images.ts';
import type { StartedContainer } from '../api/started-container.ts';
import type { ContainerInfo } from '../docker/containers.ts';
import { nameIsTaken, randomId, randomName } from '../docker/names.ts';
import { OutputLog, type OutputStream } from '../docker/output-log.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { begun } from '../streams/begun.ts';
import { CommandError, STATUS_FAILURE } from './errors.ts';
import { ExecSession, sendMessage, sendOutput } from './exec-session.ts';
import { type Failure, MAX_MESSAGE } from './owner-protocol.ts';
import { Sockets } from './sockets.ts';

/** How long clients have to take the last output of a container that has ended, in ms. */
const FAREWELL = 2_000;
/** How many names are tried, if all of them are taken. */
const ATTEMPTS = 20;
/** More clients than any user has at once. */
const MAX_CLIENTS = 256;
const MAX_STOP_SECONDS = 2 ** 31 / 1000 - 1;

type Details = Omit<ContainerInfo, 'id' | 'name' | 'pid' | 'created' | 'started'> & {
  /** Those of a kept container. */
  readonly id?: string;
  readonly created?: number;
};

/**
 * Opens the socket of a container that is about to start.
 * @param name a random one if it is undefined
 * @throws DockerError if the name is taken; CommandError if there can be no socket
 */
export async function openOwner(env: NodeJS.ProcessEnv, name: string | undefined): Promise<Owner> {
  const owner = new Owner();
  await owner.listen(await Sockets.open(env), name);
  return owner;
}

export class Owner {
  #id = randomId();
  readonly #created = Date.now();
  readonly #log = new OutputLog();
  #server = this.#createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE, clientTracking: true });
  #name = '';
  /** The folder of its socket, once it listens. */
  #places: Sockets | undefined;
  #container: StartedContainer | undefined;
  #details: Details | undefined;
  #started: number | undefined;

  get id(): string {
    return this.#id;
  }

  /** Takes the name, or a random one. */
  async listen(sockets: Sockets, name: string | undefined): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const candidate = name ?? randomName();
      if (await sockets.claim(candidate, (path) => listen(this.#server, path))) {
        this.#name = candidate;
        this.#places = sockets;
        return;
      }
      if (name !== undefined) throw nameIsTaken(name);
    }
    throw new CommandError('all random names are taken: choose one with --name', STATUS_FAILURE);
  }

  /** Makes the container reachable. */
  own(container: StartedContainer, details: Details): void {
    this.#id = details.id ?? this.#id;
    this.#details = details;
    this.#container = container;
    const note = (isStarted: boolean) => {
      if (isStarted) this.#started = Date.now();
    };
    container.started.then(note).catch(() => {});
  }

  show(stream: OutputStream, bytes: Uint8Array): void {
    this.#log.append(stream, bytes);
  }

  /** The container has ended. Gives its clients a moment for the last output, and frees the name. */
  async end(): Promise<void> {
    this.#log.end();
    const clients = [...this.#sockets.clients];
    // Closing also removes the socket's file.
    this.#server.close();
    if (clients.length > 0) {
      const closed = Promise.all(clients.map((client) => once(client, 'close')));
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate();
      }, FAREWELL);
      await closed;
      clearTimeout(timer);
    }
    this.#server.closeIdleConnections();
  }

  /**
   * Moves to the socket of another name. Its clients stay, and later ones find it there.
   * @throws OptionError, DockerError or ContainerExistsError if the name is taken, StorageError
   */
  async rename(name: string): Promise<void> {
    checkContainerName(name);
    const container = this.#running();
    if (name === this.#name) return;
    const server = this.#createServer();
    if (!(await this.#places?.claim(name, (path) => listen(server, path)))) throw nameIsTaken(name);
    try {
      if (container.kept) await container.rename(name);
    } catch (error) {
      server.close();
      throw error;
    }
    // Closing removes the file of the old name.
    this.#server.close();
    this.#server = server;
    this.#name = name;
  }

  #createServer(): Server {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.maxConnections = MAX_CLIENTS;
    server.on('upgrade', (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (client) => void this.#talk(request, client));
    });
    // Clients may vanish at any time.
    server.on('clientError', (_, socket) => socket.destroy());
    return server;
  }

  #info(): ContainerInfo {
    if (!this.#details) throw new FileError('the container is still being made');
    const { id } = this;
    const [name, started, { pid }] = [this.#name, this.#started, process];
    return { created: this.#created, ...this.#details, id, name, started, pid };
  }

  #running(): StartedContainer {
    if (!this.#container) throw new FileError('the container is still being made');
    return this.#container;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://owner');
      const route = ROUTES[`${request.method} ${pathname}`];
      if (!route)
        throw new FileError('this owner of a container knows no such request: it may be of another version');
      const text = (name: string) => searchParams.get(name) ?? '';
      const path = () => String(JSON.parse(text('path')));
      if (pathname === '/') answer(response, this.#info());
      else await route({ owner: this, container: this.#running(), request, response, text, path });
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { message, code } = error as Error & { code?: string };
      const failure: Failure = { message, code };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(failure));
    }
  }

  async #talk(request: IncomingMessage, client: WebSocket): Promise<void> {
    client.on('error', () => {});
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://owner');
      if (pathname === '/logs') {
        const tail = searchParams.get('tail');
        await this.#showLog(client, tail === null ? undefined : Number(tail), searchParams.has('follow'));
      } else {
        await new ExecSession(this.#running(), client).run();
      }
    } catch (error) {
      await sendMessage(client, { type: 'error', message: (error as Error).message }).catch(() => {});
    } finally {
      client.close();
    }
  }

  async #showLog(client: WebSocket, tail: number | undefined, follow: boolean): Promise<void> {
    const gone = once(client, 'close').then(() => 'gone' as const);
    const log = this.#log.read(tail, follow);
    for (;;) {
      const next = await Promise.race([log.next(), gone]);
      if (next === 'gone' || next.done) break;
      await Promise.race([sendOutput(client, next.value.stream, next.value.bytes), gone]);
    }
    if (client.readyState === client.OPEN) await sendMessage(client, { type: 'exit', status: 0 });
  }
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
  if (process.platform !== 'win32') await chmod(path, 0o600);
}

interface Call {
  readonly owner: Owner;
  readonly container: StartedContainer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly text: (name: string) => string;
  /** The path, which is JSON, because names may have bytes that are no UTF-8. */
  readonly path: () => string;
}

/** The requests, of which `GET /` needs no container. */
const ROUTES: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  'GET /': async () => {},

  async 'POST /stop'({ container, response, text }) {
    const seconds = Math.min(Number(text('seconds')), MAX_STOP_SECONDS);
    const signal = text('signal') === '' ? undefined : Number(text('signal'));
    await container.stop({ signal, seconds });
    // Whoever starts or removes it next finds its files whole.
    if (container.kept) await container.destroy();
    answer(response, {});
  },

  async 'POST /rename'({ owner, response, text }) {
    await owner.rename(text('name'));
    answer(response, {});
  },

  async 'GET /size'({ container, response }) {
    answer(response, (await container.stats()).disk.usedBytes);
  },

  async 'POST /suspend'({ container, response }) {
    if (!container.kept)
      throw new FileError('only a container with a name is kept: save its session by --snapshot FILE');
    await container.suspend();
    answer(response, {});
  },

  async 'GET /session'({ container, response }) {
    await sendStream(container.exportSession(), response);
  },

  async 'GET /changes'({ container, response }) {
    await sendStream(await container.exportChanges(), response);
  },

  async 'POST /commit'({ container, response, text }) {
    const options: CommitOptions = JSON.parse(text('options'));
    answer(response, await container.commit(text('image'), options));
  },

  async 'GET /stat'({ container, response, path }) {
    answer(response, await container.fs.stat(path()));
  },

  async 'GET /folder'({ container, response, path }) {
    const lines = async function* () {
      for await (const entry of container.fs.opendir(path())) yield `${JSON.stringify(entry)}\n`;
    };
    await pipeline(lines(), response);
  },

  async 'GET /file'({ container, response, path }) {
    await sendStream(container.fs.createReadStream(path()), response);
  },

  async 'PUT /file'({ container, request, response, text, path }) {
    const left = new AbortController();
    request.once('error', (error) => left.abort(error));
    request.once('close', () => {
      if (!request.complete) left.abort(new Error('the client has gone'));
    });
    const content = Readable.toWeb(request) as ReadableStream<Uint8Array>;
    await container.fs.writeFile(path(), content, { mode: Number(text('mode')), signal: left.signal });
    answer(response, {});
  },

  async 'POST /folder'({ container, response, text, path }) {
    await container.fs.mkdir(path(), { mode: Number(text('mode')) });
    answer(response, {});
  },
};

/** A stream that fails at once is an answer that is an error. */
async function sendStream(content: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const stream = await begun(content);
  await pipeline(Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]), response);
}

function answer(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
