import { describe, expect, it } from 'vitest';
import { OutputLog, type OutputPart } from './output-log.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(log: OutputLog, tail?: number, follow = false): Promise<string> {
  let text = '';
  for await (const part of log.read(tail, follow)) text += new TextDecoder().decode(part.bytes);
  return text;
}

describe('the kept output', () => {
  it('keeps streams apart, and the order of both', async () => {
    const log = new OutputLog();
    log.append(1, bytes('a'));
    log.append(2, bytes('b'));
    const parts: OutputPart[] = [];
    for await (const part of log.read(undefined, false)) parts.push(part);
    expect(parts.map(({ stream }) => stream)).toEqual([1, 2]);
    expect(await read(log)).toBe('ab');
  });

  it.each([
    [0, ''],
    [1, 'three\n'],
    [2, 'two\nthree\n'],
    [3, 'one\ntwo\nthree\n'],
    [9, 'one\ntwo\nthree\n'],
  ])('the last %i lines', async (tail, text) => {
    const log = new OutputLog();
    for (const part of ['one\ntw', 'o\n', 'three\n']) log.append(1, bytes(part));
    expect(await read(log, tail)).toBe(text);
  });

  it('counts a line without its newline', async () => {
    const log = new OutputLog();
    log.append(1, bytes('one\ntwo'));
    expect(await read(log, 1)).toBe('two');
  });

  it('follows until the end', async () => {
    const log = new OutputLog();
    log.append(1, bytes('a'));
    const following = read(log, undefined, true);
    await Promise.resolve();
    log.append(1, bytes('b'));
    log.end();
    expect(await following).toBe('ab');
  });

  it('drops the oldest output, also of a reader that waits there', async () => {
    const log = new OutputLog(3000);
    log.append(1, bytes('x'.repeat(1000)));
    const reader = log.read(undefined, true);
    await reader.next();
    for (const part of ['a', 'b', 'c']) log.append(1, bytes(part.repeat(1000)));
    log.end();
    let rest = '';
    for await (const part of reader) rest += new TextDecoder().decode(part.bytes).charAt(0);
    expect(rest).toBe('bc');
    log.append(1, bytes('y'.repeat(5000)));
    expect(await read(log)).toBe('');
  });
});
