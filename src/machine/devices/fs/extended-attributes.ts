import type { ExtendedAttributes, Way } from '../../../folders/shared-folder.ts';
import { decodeBytes, encodeBytes } from '../../../text/byte-text.ts';
import { fail } from './errors.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import { type Nodes, wayOf } from './nodes.ts';
import { EMPTY, type Room } from './replies.ts';
import type { Request } from './request.ts';

/** Answers what the guest asks of the extended attributes of a file. */
export async function answerAttributes(request: Request, room: Room, nodes: Nodes): Promise<Reply> {
  const node = nodes.get(request.node);
  const attributes = node.share.folder.attributes ?? fail('EOPNOTSUPP');
  const way = wayOf(node);
  switch (request.opcode) {
    case fuse.GETXATTR: {
      const size = request.u32();
      request.skip(4);
      return sized(await attributes.get(way, attributeName(request)), size, room);
    }
    case fuse.LISTXATTR: {
      const size = request.u32();
      const names = await attributes.list(way);
      return sized(encodeBytes(names.map((name) => `${name}\0`).join('')), size, room);
    }
    case fuse.REMOVEXATTR:
      nodes.writable(request.node);
      await attributes.remove(way, attributeName(request));
      return EMPTY;
    default:
      nodes.writable(request.node);
      return setAttribute(request, attributes, way);
  }
}

async function setAttribute(request: Request, attributes: ExtendedAttributes, way: Way): Promise<Reply> {
  const size = request.u32();
  const flags = request.u32();
  const name = attributeName(request);
  const value = request.bytes(size);
  const rule = flags & fuse.XATTR_CREATE ? 'create' : flags & fuse.XATTR_REPLACE ? 'replace' : 'any';
  await attributes.set(way, name, value, rule);
  return EMPTY;
}

function attributeName(request: Request): string {
  const name = request.string();
  return name.length > 0 && name.length <= 255 ? decodeBytes(name) : fail('ERANGE');
}

/** The reply to GETXATTR and LISTXATTR: the value, or its length if the guest has no room yet. */
function sized(value: Uint8Array, size: number, room: Room): Reply {
  if (size === 0) return new Reply(8).u32(value.length).u32(0);
  return value.length <= Math.min(size, room.size) ? new Reply(value.length).raw(value) : fail('ERANGE');
}
