import { expect, it, vi } from 'vitest';
import type { Child } from '../../api/public.ts';
import type { TerminalClient } from './messages.ts';
import { TerminalProcess } from './terminal-process.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

/** A process that writes what the test tells it, and a page that shows it when the test says so. */
function makeProcess() {
  let output: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  const stdout = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(made) {
      output = made;
    },
  });
  const process = {
    stdin: new WritableStream(),
    stdout,
    stderr: new ReadableStream({ start: (errors) => errors.close() }),
    wait: () => new Promise(() => {}),
  } as unknown as Child;
  const shown: string[] = [];
  const client = {
    onOutput: vi.fn(async (bytes: Uint8Array) => void shown.push(text(bytes))),
  } as unknown as TerminalClient;
  return { process, client, shown, write: (line: string) => output?.enqueue(bytes(line)) };
}

it('knows the output that the page has not shown', async () => {
  const { process, client, shown, write } = makeProcess();
  const terminal = new TerminalProcess(process, client, () => {});
  write('one ');
  write('two');
  await expect.poll(() => shown.join('')).toBe('one two');
  expect(text(terminal.unshown(0))).toBe('one two');
  expect(text(terminal.unshown(3))).toBe(' two');
  expect(text(terminal.unshown(7))).toBe('');
});

it('keeps all output while it is held, and forgets what was shown later', async () => {
  const { process, client, shown, write } = makeProcess();
  const terminal = new TerminalProcess(process, client, () => {});
  const flood = 'x'.repeat(100_000);
  write('before');
  await expect.poll(() => shown).toEqual(['before']);
  terminal.hold();
  for (let i = 0; i < 3; i++) write(flood);
  await expect.poll(() => shown.join('').length).toBe(300_006);
  expect(terminal.unshown(6)).toHaveLength(300_000);
  write(flood);
  await expect.poll(() => shown.join('').length).toBe(400_006);
  expect(terminal.unshown(0).length).toBeLessThan(300_000);
});

it('first shows what an earlier screen did not', async () => {
  const { process, client, shown, write } = makeProcess();
  const terminal = new TerminalProcess(process, client, () => {}, bytes('earlier '));
  write('later');
  await expect.poll(() => shown.join('')).toBe('earlier later');
  expect(text(terminal.unshown(8))).toBe('later');
});
