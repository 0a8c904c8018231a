import { FolderError } from '../../../folders/shared-folder.ts';
import type { Chain, WritableSegments } from '../virtio/chain.ts';
import { errorNumber } from './errors.ts';
import { BATCH_FORGET, ERRNO, FORGET, INTERRUPT, OUT_HEADER_SIZE, outHeader, type Reply } from './fuse.ts';
import type { Filled } from './replies.ts';
import { Request } from './request.ts';
import type { FuseServer } from './server.ts';

const WITHOUT_REPLY: readonly number[] = [FORGET, BATCH_FORGET, INTERRUPT];

/** Carries out the request of a chain, whose reply is then in it. */
export async function perform(server: FuseServer, { readable, writable }: Chain): Promise<void> {
  writable.consumeFirst(await answer(server, new Request(readable), writable));
}

/** @returns the number of bytes of the reply */
async function answer(server: FuseServer, request: Request, room: WritableSegments): Promise<number> {
  if (WITHOUT_REPLY.includes(request.opcode)) return note(server, request);
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
function note(server: FuseServer, request: Request): number {
  try {
    if (request.isWhole) server.note(request);
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
