/** Reaches running containers through the sockets of their owners. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { WebSocket } from 'ws';
import { FileError } from '../api/errors.ts';
import type { ContainerInfo } from '../docker/containers.ts';
import { findById, isId } from '../docker/find.ts';
import { CommandError } from './errors.ts';
import { type Failure, MAX_MESSAGE } from './owner-protocol.ts';
import type { Sockets } from './sockets.ts';

/** How long an owner may take to describe its container, in ms. It does so at once, unless it is stopped. */
const PATIENCE = 3_000;

type Parameters = Readonly<Record<string, string | number | undefined>>;

/** A running container, as its owner's socket shows it. */
export class RemoteContainer {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws CommandError if its owner does not answer */
  info(): Promise<ContainerInfo> {
    return this.call('GET', '/', {}, AbortSignal.timeout(PATIENCE));
  }

  /** @returns the answer's JSON */
  async call<T>(
    method: string,
    route: string,
    parameters: Parameters = {},
    signal?: AbortSignal,
  ): Promise<T> {
    return (await json(await this.#request(method, route, parameters, { signal }))) as T;
  }

  /** @returns the answer's bytes */
  read(route: string, parameters: Parameters): Promise<Readable> {
    return this.#request('GET', route, parameters, {});
  }

  async write(route: string, parameters: Parameters, body: Readable): Promise<void> {
    await json(await this.#request('PUT', route, parameters, { body }));
  }

  /** Opens a WebSocket. Its messages may come at once, so its handlers must be there before it is open. */
  connect(route: string, parameters: Parameters = {}): WebSocket {
    return new WebSocket(`ws+unix://${this.#path}:${route}${query(parameters)}`, {
      maxPayload: MAX_MESSAGE,
      perMessageDeflate: false,
    });
  }

  async #request(
    method: string,
    route: string,
    parameters: Parameters,
    { body, signal }: { body?: Readable; signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> {
    const call = request({
      socketPath: this.#path,
      method,
      path: route + query(parameters),
      ...(signal && { signal }),
    });
    const answered = once(call, 'response') as Promise<[IncomingMessage]>;
    // An owner that refuses a body answers before it has read all of it.
    if (body) pipeline(body, call).catch(() => {});
    else call.end();
    const [response] = await answered.catch((cause) => {
      throw new CommandError(`the owner of the container does not answer: ${cause.message}`, 1, { cause });
    });
    if (response.statusCode === 200) return response;
    const { message, code } = (await json(response)) as Failure;
    throw new FileError(message, code);
  }
}

/** Finds the container of a name, or of the beginning of an ID. @throws DockerError, CommandError */
export async function findContainer(sockets: Sockets, name: string): Promise<RemoteContainer> {
  const names = await sockets.names();
  if (names.includes(name) && !(await sockets.removeDead(name)))
    return new RemoteContainer(sockets.pathOf(name));
  // An owner that does not answer takes time.
  const containers = isId(name) ? await listContainers(sockets) : [];
  const found = findById('container', containers, name, ({ id }) => id);
  return new RemoteContainer(sockets.pathOf(found.name));
}

/** All running containers. Sockets of dead owners are removed. */
export async function listContainers(sockets: Sockets): Promise<ContainerInfo[]> {
  const names = await sockets.names();
  const found = await Promise.all(
    names.map(async (name) => {
      if (await sockets.removeDead(name)) return undefined;
      // A container that is being made, or has just ended, has no description.
      return new RemoteContainer(sockets.pathOf(name)).info().catch(() => undefined);
    }),
  );
  return found.filter((info) => info !== undefined);
}

function query(parameters: Parameters): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
