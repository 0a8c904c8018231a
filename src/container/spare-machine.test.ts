import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { nodePlatform } from '../machine/platform/node.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { BOOTED, openBooted, placeBooted } from './booted.ts';
import type { ContainerMachine } from './container.ts';
import { SpareMachine } from './spare-machine.ts';
import { foreignBusybox, writeLayout } from './testing/foreign.ts';
import { DEMO_IMAGES, PUBLIC, pull, start, store, text } from './testing/run.ts';

const NETWORK = { relay: { kind: 'off', reason: 'of the test' } } as const;
const USUAL = { memoryBytes: 512 << 20, diskBytes: 2 ** 30, network: NETWORK };
const REQUEST = { cpus: 1, store, disk: { kind: 'scratch', sizeBytes: 2 ** 30 } as const, ...USUAL };
const TIMEOUT = 120_000;

let spare: SpareMachine;
let container: ContainerMachine | undefined;

afterEach(async () => {
  await container?.destroy();
  container = undefined;
  spare.stop();
});

function makeSpare(platform: Platform = nodePlatform(PUBLIC)): SpareMachine {
  const saved = platform
    .loadEmulator()
    .then(async (emulator) => placeBooted(await openBooted(await platform.loadFile(BOOTED), emulator)));
  spare = new SpareMachine({ platform, saved, store, network: NETWORK });
  return spare;
}

/** A platform on which nothing can be started, so that only the spare machine is left. */
const barren = () => ({
  ...nodePlatform(PUBLIC),
  startWorker: () => {
    throw new Error('another machine was started');
  },
  loadFile: (path: string) => {
    throw new Error(`${path} was loaded`);
  },
});

test('a container runs in it, with the image that it wants', { timeout: TIMEOUT }, async () => {
  makeSpare();
  const expected = await pull(`${DEMO_IMAGES}:hello-world`);
  spare.expect(expected.layers, 'riscv64');
  await expected.release();
  const image = pull(`${DEMO_IMAGES}:busybox`);
  const statuses: string[] = [];
  container = await start({
    ...{ image, spare, platform: barren(), ...USUAL },
    entrypoint: ['sh', '-c', 'echo kept >/file; cat /file; df -k / | tail -n 1 | wc -w; ls /bin/busybox'],
    onNetwork: ({ state }) => statuses.push(state),
  });
  expect(await text(container.stdout)).toBe('kept\n6\n/bin/busybox\n');
  expect(await container.exit).toBe(0);
  expect(statuses).toContain('off');
});

test('the image that was expected is there', { timeout: TIMEOUT }, async () => {
  makeSpare();
  const image = await pull(`${DEMO_IMAGES}:hello-world`);
  spare.expect(image.layers, 'riscv64');
  container = await start({ image, spare, platform: barren(), ...USUAL });
  expect(await text(container.stdout)).toMatch(/Hello/);
  expect(await container.exit).toBe(0);
});

test('the emulator of the expected image is loaded once', { timeout: TIMEOUT }, async () => {
  writeLayout(join(store, 'foreign'), { busybox: [foreignBusybox('amd64')] });
  const image = await pull(`oci://${join(store, 'foreign')}:busybox`);
  const loaded: string[] = [];
  const { loadFile, ...platform } = nodePlatform(PUBLIC);
  makeSpare({
    ...platform,
    loadFile(path) {
      loaded.push(path);
      return loadFile(path);
    },
  });
  spare.expect(image.layers, 'amd64');
  container = await start({ image, spare, platform: barren(), args: ['uname', '-m'], ...USUAL });
  expect(await text(container.stdout)).toBe('x86_64\n');
  expect(loaded).toEqual(expect.arrayContaining(['kernel/emulator-amd64', 'kernel/emulator-amd64-code']));
});

test.each([
  ['more CPUs', { cpus: 2 }],
  ['less memory', { memoryBytes: 256 << 20 }],
  ['another disk', { disk: { kind: 'scratch', sizeBytes: 2 ** 29 } as const }],
  ['no network', { network: undefined }],
  ['another relay', { network: { relay: { kind: 'off', reason: 'another' } as const } }],
  ['another compiler', { jit: 'off' as const }],
])('a container that wants %s does not get it, and nobody after that', async (_, other) => {
  makeSpare();
  expect(await spare.take({ ...REQUEST, ...other })).toBeUndefined();
  expect(await spare.take(REQUEST)).toBeUndefined();
});

test('such a container gets a machine of its own', { timeout: TIMEOUT }, async () => {
  makeSpare();
  const image = pull(`${DEMO_IMAGES}:hello-world`);
  container = await start({ image, spare, ...USUAL, diskBytes: 2 ** 29 });
  expect(await text(container.stdout)).toMatch(/Hello/);
});

test('only one container gets it', { timeout: TIMEOUT }, async () => {
  makeSpare();
  const [first, second] = await Promise.all([spare.take(REQUEST), spare.take(REQUEST)]);
  await first?.stop();
  expect(first).toBeDefined();
  expect(second).toBeUndefined();
});
