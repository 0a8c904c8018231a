import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeContent, inPieces } from './content-coding.ts';
import type { HttpResponse } from './exchange.ts';

const streamOf = (...pieces: Uint8Array<ArrayBuffer>[]) =>
  new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });

function coded(coding: string, bytes: Uint8Array<ArrayBuffer>, status = 200): HttpResponse {
  const headers: [string, string][] = [['Content-Encoding', coding]];
  return { status, statusText: '', headers, body: streamOf(bytes) };
}

test('a piece that a browser decodes at once is short', async () => {
  const lengths: number[] = [];
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);
  const read: number[] = [];
  for await (const piece of inPieces(streamOf(bytes, new Uint8Array(0), bytes))) {
    lengths.push(piece.length);
    read.push(...piece);
  }
  expect(Math.max(...lengths)).toBe(2048);
  expect(read).toEqual([...bytes, ...bytes]);
});

test('codings are decoded, except in parts of bodies, and except unknown ones', async () => {
  const packed = new Uint8Array(gzipSync('hello'));
  const textOf = ({ body }: HttpResponse) => new Response(body).text();
  for (const coding of ['gzip', 'GZIP', 'x-gzip']) {
    const response = decodeContent(coded(coding, packed));
    expect([response.headers, await textOf(response)]).toEqual([[], 'hello']);
  }
  for (const coding of ['br', 'gzip, gzip', 'constructor', '']) {
    const response = coded(coding, packed);
    expect(decodeContent(response)).toBe(response);
  }
  const part = coded('gzip', packed, 206);
  expect(decodeContent(part)).toBe(part);
});
