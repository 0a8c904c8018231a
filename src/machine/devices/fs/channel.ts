/** Between the device, in the machine's worker, and its server, in the worker of the folders. */
import { type FolderOptions, type OpenFolder, portsOf } from '../../../folders/folder-options.ts';
import { FolderError } from '../../../folders/shared-folder.ts';
import { ReadableSegments, type Segments, WritableSegments } from '../virtio/chain.ts';
import type { GuestMemory } from '../virtio/guest-memory.ts';
import { errorNumber } from './errors.ts';
import { BATCH_FORGET, ERRNO, FORGET, OUT_HEADER_SIZE, outHeader, type Reply } from './fuse.ts';
import type { Filled } from './replies.ts';
import { Request } from './request.ts';
import type { FuseServer } from './server.ts';

/** Parts of guest RAM: host addresses and lengths by turns. */
type Ranges = readonly number[];

type Question = 'reset' | 'close' | 'is-mounted';

type ToServer =
  | { readonly type: 'share'; readonly folder: FolderOptions; readonly readOnly: boolean }
  | { readonly type: 'answer'; readonly id: number; readonly request: Ranges; readonly room: Ranges }
  | { readonly type: Question; readonly id: number };

/** To a request the bytes of its reply, which are in their place, and to a question 1 or 0. */
interface FromServer {
  readonly id: number;
  readonly value: number;
}

/** The device's end. */
export class ServerChannel {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, (value: number) => void>();
  #next = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data: { id, value } }: MessageEvent<FromServer>) => {
      this.#pending.get(id)?.(value);
      this.#pending.delete(id);
    };
  }

  share(folder: FolderOptions, readOnly: boolean): void {
    this.#port.postMessage({ type: 'share', folder, readOnly } satisfies ToServer, portsOf(folder));
  }

  /** Has a request answered; returns the number of bytes that were written to its room. */
  answer(request: Ranges, room: Ranges): Promise<number> {
    return this.#send((id) => ({ type: 'answer', id, request, room }));
  }

  ask(question: Question): Promise<number> {
    return this.#send((id) => ({ type: question, id }));
  }

  #send(message: (id: number) => ToServer): Promise<number> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.#port.postMessage(message(id));
    });
  }
}

/** The server's end: carries out requests, at the same time, until the port is closed. */
export function serveFuse(
  server: FuseServer,
  port: MessagePort,
  memory: GuestMemory,
  openFolder: OpenFolder,
): void {
  const respond = async (message: Exclude<ToServer, { type: 'share' }>): Promise<number> => {
    switch (message.type) {
      case 'answer': {
        const request = new Request(segments(new ReadableSegments(memory), message.request));
        return perform(server, request, segments(new WritableSegments(memory), message.room));
      }
      case 'reset':
        await server.reset();
        return 0;
      case 'close':
        await server.close();
        return 0;
      case 'is-mounted':
        return server.isMounted ? 1 : 0;
    }
  };
  port.onmessage = async ({ data }: MessageEvent<ToServer>) => {
    if (data.type === 'share') server.add(opened(openFolder, data.folder), data.readOnly);
    else port.postMessage({ id: data.id, value: await respond(data) } satisfies FromServer);
  };
}

/** The guest is told of failures when it asks for the folder. */
async function opened(openFolder: OpenFolder, folder: FolderOptions) {
  return openFolder(folder);
}

function segments<T extends Segments>(list: T, ranges: Ranges): T {
  list.clear();
  for (let at = 0; at < ranges.length; at += 2) list.add(ranges[at] as number, ranges[at + 1] as number);
  return list;
}

/** Carries out a request; returns the number of bytes of its reply. */
async function perform(server: FuseServer, request: Request, room: WritableSegments): Promise<number> {
  if (request.opcode === FORGET || request.opcode === BATCH_FORGET) return forget(server, request);
  if (room.remaining < OUT_HEADER_SIZE) return 0;
  const header = room.views(OUT_HEADER_SIZE);
  const reply = await replyTo(server, request, room);
  const isError = typeof reply === 'number';
  const length = isError ? 0 : 'filled' in reply ? reply.filled : reply.length;
  if (!isError && 'bytes' in reply) room.write(reply.bytes, 0, length);
  fill(header, outHeader(request.unique, isError ? reply : 0, length));
  return OUT_HEADER_SIZE + length;
}

/** A malformed one is ignored, because it has no reply. */
function forget(server: FuseServer, request: Request): number {
  try {
    if (request.isWhole) server.forget(request);
  } catch (error) {
    if (!(error instanceof FolderError)) throw error;
  }
  return 0;
}

/** @returns the reply, or the number of an error */
async function replyTo(
  server: FuseServer,
  request: Request,
  room: WritableSegments,
): Promise<Reply | Filled | number> {
  if (!request.isWhole) return ERRNO.EINVAL as number;
  const size = room.remaining;
  try {
    const reply = await server.answer(request, { size, take: (length) => room.views(length) });
    const length = 'filled' in reply ? 0 : reply.length;
    return length > room.remaining ? (ERRNO.EIO as number) : reply;
  } catch (error) {
    return errorNumber(error);
  }
}

function fill(views: readonly Uint8Array[], bytes: Uint8Array): void {
  let at = 0;
  for (const view of views) {
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
  }
}
