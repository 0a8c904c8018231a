import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { listenRaw, type TestServer } from '../../network/testing/test-server.ts';

/** The header fields with which a server accepts the handshake of a client. */
export function acceptFields(request: string): string[] {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
}

export const switching = (fields: readonly string[]): string =>
  `HTTP/1.1 101 Switching Protocols\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

/** A server that accepts each WebSocket, and calls `serve` to send any bytes. */
export const listenFrames = (serve: (socket: Socket) => void): Promise<TestServer> =>
  listenRaw((socket) =>
    socket.once('data', (request) => {
      socket.write(switching(acceptFields(String(request))));
      serve(socket);
    }),
  );

/** A frame as a server may send it, or with other bits. */
export function frame(
  opcode: number,
  payload: string | Uint8Array = '',
  { final = true, reserved = 0 } = {},
): Buffer<ArrayBuffer> {
  const body = Buffer.from(payload as string);
  const header = Buffer.alloc(body.length < 126 ? 2 : body.length < 65536 ? 4 : 10);
  header[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = header.length === 2 ? body.length : header.length === 4 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(body.length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(body.length), 2);
  return Buffer.concat([header, body]);
}

/** Unmasks the small frames of a client. */
export function framesOf(bytes: Uint8Array): { opcode: number; payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const length = (bytes[at + 1] as number) & 0x7f;
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = Buffer.from(bytes.subarray(at + 6, at + 6 + length));
    frames.push({
      opcode: (bytes[at] as number) & 0x0f,
      payload: payload.map((byte, index) => byte ^ (mask[index % 4] as number)) as Buffer,
    });
    at += 6 + length;
  }
  return frames;
}
