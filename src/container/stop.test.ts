import { afterEach, beforeAll, expect, test } from 'vitest';
import type { HeldImage } from '../oci/pull.ts';
import type { Container } from './container.ts';
import { SIGHUP, SIGTERM } from './signals.ts';
import { DEMO_IMAGES, pull, start } from './testing/run.ts';

const TIMEOUT = 120_000;
const TERMINAL = { columns: 80, rows: 24, type: 'vt100' };

let busybox: HeldImage;
let container: Container | undefined;

beforeAll(async () => {
  busybox = await pull(`${DEMO_IMAGES}:busybox`);
});
afterEach(() => container?.destroy());

/** A container with a terminal, and what its screen has shown. */
async function inTerminal(args: readonly string[]) {
  const started = await start({ image: busybox, args, terminal: TERMINAL });
  container = started;
  let screen = '';
  const copied = started.stdout.pipeTo(
    new WritableStream({
      write: (bytes) => {
        screen += Buffer.from(bytes).toString();
      },
    }),
  );
  const keyboard = started.stdin.getWriter();
  return {
    container: started,
    shown: (text: string | RegExp) => expect.poll(() => screen, { timeout: 60_000 }).toMatch(text),
    type: (keys: string) => keyboard.write(Buffer.from(keys)),
    /** All of its output. */
    ended: () => copied.then(() => screen),
  };
}

test('stop ends an interactive shell by hanging up its terminal', { timeout: TIMEOUT }, async () => {
  const { container, shown } = await inTerminal(['sh']);
  await shown(/# /);
  const begin = performance.now();
  await container.stop();
  expect(performance.now() - begin).toBeLessThan(8_000);
  expect(await container.exit).not.toBe(137);
});

test('stop ends a shell that waits for a program', { timeout: TIMEOUT }, async () => {
  const { container, shown, type } = await inTerminal(['sh']);
  await shown(/# /);
  await type('echo $((6*7)); sleep 1000\n');
  await shown(/42/);
  await container.stop();
  expect(await container.exit).not.toBe(137);
});

test.each([SIGTERM, SIGHUP])('a program that handles signal %i keeps its terminal', async (signal) => {
  const script = `trap 'sleep 1; echo by''e; exit 3' ${signal}; echo rea''dy; while :; do sleep 0.1; done`;
  const { container, shown, ended } = await inTerminal(['sh', '-c', script]);
  await shown(/ready/);
  container.askToEnd(signal);
  expect(await container.exit).toBe(3);
  expect(await ended()).toContain('bye');
});
