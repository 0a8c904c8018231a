import { IN_HEADER_SIZE } from '../fuse.ts';

/** The bytes of a FUSE request of root's. @param lie added to the length that it states */
export function fuseRequest(
  opcode: number,
  node: bigint,
  body: Uint8Array,
  lie = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IN_HEADER_SIZE + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length + lie, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, 77n, true);
  view.setBigUint64(16, node, true);
  bytes.set(body, IN_HEADER_SIZE);
  return bytes;
}
