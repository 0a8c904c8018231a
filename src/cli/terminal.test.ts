import { describe, expect, test } from 'vitest';
import { Newlines } from './terminal.ts';

/** Protects the newlines of an output that arrives in pieces. */
function protect(...pieces: string[]): string {
  const newlines = new Newlines();
  const shown = pieces.map((piece) => {
    const bytes = Buffer.from(piece);
    newlines.protect(bytes);
    return bytes.toString();
  });
  return shown.join('');
}

describe('newlines', () => {
  test.each([
    ['one', 'one'],
    ['one\r\ntwo\r\n', 'one\r\ntwo\r\n'],
    ['one\ntwo', 'one\vtwo'],
    ['\n', '\v'],
    ['a\n\n\r\n\nb', 'a\v\v\r\n\vb'],
  ])('%j is shown as %j', (output, shown) => {
    expect(protect(output)).toBe(shown);
  });

  test('a return and its newline may arrive apart', () => {
    expect(protect('one\r', '', '\ntwo\n', '\nthree')).toBe('one\r\ntwo\v\vthree');
  });
});
