import { expect, test } from 'vitest';
import { toByteString, toBytes } from '../disk/byte-string.ts';
import { injector, isInjectable, prefixer, untilBroken } from './inject.ts';

const TAG = '<script></script>';

/** Sends a document in pieces through a stream. */
async function through(stream: TransformStream, pieces: readonly string[]): Promise<string> {
  const writer = stream.writable.getWriter();
  const written = Promise.all([...pieces.map((piece) => writer.write(toBytes(piece))), writer.close()]);
  const bytes = new Uint8Array(await new Response(stream.readable).arrayBuffer());
  await written;
  return toByteString(bytes);
}

test.each([
  ['<!doctype html><html lang=en><head><title>x', '<!doctype html><html lang=en><head>|<title>x'],
  ['<!DOCTYPE html>\n<HTML>\n<HEAD data-x="a>b" >x', '<!DOCTYPE html>\n<HTML>\n<HEAD data-x="a>b" >|x'],
  ['<!-- <head> --><!doctype html><p>x', '<!-- <head> --><!doctype html>|<p>x'],
  ['\xef\xbb\xbf<!doctype html><body>', '\xef\xbb\xbf<!doctype html>|<body>'],
  ['<?xml version="1.0"?><html xmlns="x"><head/>', '<?xml version="1.0"?><html xmlns="x"><head/>|'],
  ['<html><header>x', '<html>|<header>x'],
  ['text', '|text'],
  ['<p>a <head> b', '|<p>a <head> b'],
  ['<!-- never closed <head>', '|<!-- never closed <head>'],
  ['\xff\xfe<\0h\0', '\xff\xfe<\0h\0'],
  ['\xfe\xff\0<\0h', '\xfe\xff\0<\0h'],
])('the script of %j comes before all others', async (html, expected) => {
  const result = expected.replace('|', TAG);
  expect(await through(injector(TAG), [html])).toBe(result);
  expect(await through(injector(TAG), [...html])).toBe(result);
});

test('a document whose beginning is slow is not held back for long', async () => {
  const stream = injector(TAG);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  void writer.write(toBytes('<!doctype html><title>begun'));
  const { value } = await reader.read();
  expect(toByteString(value ?? new Uint8Array())).toBe(`<!doctype html>${TAG}<title>begun`);
  void writer.write(toBytes('\xff rest'));
  expect(toByteString((await reader.read()).value ?? new Uint8Array())).toBe('\xff rest');
});

test('a document that never gets to its head takes bounded time and memory', async () => {
  const comments = '<!---->'.repeat(100_000);
  expect(await through(injector(TAG), [comments])).toContain(TAG);
});

test('the type decides', () => {
  expect(['text/html', 'TEXT/HTML; charset=utf-8', 'application/xhtml+xml'].every(isInjectable)).toBe(true);
  expect(['text/htmlx', 'text/plain', '', 'text/html;charset="UTF-16LE"'].some(isInjectable)).toBe(false);
});

test('a worker’s script gets one in front', async () => {
  expect(await through(prefixer('shim;'), ['a', 'b'])).toBe('shim;ab');
  expect(await through(prefixer('shim;'), [])).toBe('shim;');
});

test('a document ends where its server breaks off', async () => {
  let pulls = 0;
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(toBytes('<p>half'));
      else controller.error(new Error('reset'));
    },
  });
  const shown = untilBroken(broken).pipeThrough(injector(TAG));
  expect(await new Response(shown).text()).toBe(`${TAG}<p>half`);
});

test('a document that nobody reads any more ends at the server', async () => {
  let reason: unknown;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    cancel: (given) => {
      reason = given;
    },
  });
  await untilBroken(endless).cancel('left');
  expect(reason).toBe('left');
});
