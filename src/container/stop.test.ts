import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HeldImage } from '../oci/pull.ts';
import { SIGHUP, SIGTERM } from '../options/signals.ts';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, run, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const TERMINAL = { columns: 80, rows: 24, type: 'vt100' };

let busybox: HeldImage;
let container: ContainerMachine | undefined;

beforeAll(async () => {
  busybox = await pull(`${DEMO_IMAGES}:busybox`);
});
afterEach(() => container?.destroy());

/** A container with a terminal, and what its screen has shown. */
async function inTerminal(args: readonly string[], init = false) {
  const started = await start({ image: busybox, args, init, terminal: TERMINAL });
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
  await container.stop();
  // Otherwise it is killed after 10 s.
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

describe('with an init', { timeout: TIMEOUT }, () => {
  const shell = (script: string) => run({ image: busybox, args: ['sh', '-c', script], init: true }, 'input');

  test('the program has its streams and its status', async () => {
    expect(await shell('echo $$; cat; echo err >&2; exit 7')).toEqual({
      status: 7,
      stdout: '2\ninput',
      stderr: 'err\n',
      messages: '',
    });
    expect(await shell('kill -9 $$')).toMatchObject({ status: 137 });
    expect(await run({ image: busybox, args: ['no-such'], init: true })).toMatchObject({
      status: 127,
      messages: 'LinuxRun: no-such: not found\n',
    });
  });

  test.each([true, false])('orphans of a program that does not care are reaped: %s', async (init) => {
    const script = '(sleep 0.1 &); exec sleep 1000';
    container = await start({ image: busybox, args: ['sh', '-c', script], init });
    const look = ['sh', '-c', 'sleep 2; grep -h ^State /proc/[0-9]*/status'];
    expect((await text(container.exec({ args: look }).stdout)).includes('zombie')).toBe(!init);
  });

  test('signals end a program without handlers, from outside and at the keyboard', async () => {
    container = await start({ image: busybox, args: ['sleep', '1000'], init: true });
    expect(await container.started).toBe(true);
    container.kill(SIGTERM);
    expect(await container.exit).toBe(143);
    await container.destroy();
    const {
      container: typed,
      shown,
      type,
    } = await inTerminal(['sh', '-c', 'echo ready; exec sleep 1000'], true);
    await shown(/ready/);
    await type('\x03');
    expect(await typed.exit).toBe(130);
  });

  test.each([SIGTERM, SIGHUP])('a program that handles signal %i keeps its terminal', async (signal) => {
    const script = `trap 'sleep 1; echo by''e; exit 3' ${signal}; echo rea''dy; while :; do sleep 0.1; done`;
    const { container, shown, ended } = await inTerminal(['sh', '-c', script], true);
    await shown(/ready/);
    container.askToEnd(signal);
    expect(await container.exit).toBe(3);
    expect(await ended()).toContain('bye');
  });

  test('stop ends an interactive shell', async () => {
    const { container, shown } = await inTerminal(['sh'], true);
    await shown(/# /);
    await container.stop();
    expect(await container.exit).not.toBe(137);
  });

  test('further processes join, and the init keeps its memory and files to itself', async () => {
    container = await start({ image: busybox, args: ['sleep', '1000'], init: true });
    const script = `id -u; cat /proc/1/comm; grep -c . /proc/1/status > /dev/null && echo seen
for f in environ mem maps root/bin/sh; do cat /proc/1/$f > /dev/null 2>&1 && echo $f; done
ls /proc/1/fd | wc -l; kill -KILL 1; kill -STOP 1; grep State /proc/1/status`;
    const further = container.exec({ args: ['sh', '-c', script] });
    expect(await text(further.stdout)).toBe('0\ninit\nseen\n0\nState:\tS (sleeping)\n');
  });
});
