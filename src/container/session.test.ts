import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { StateError } from '../machine/errors.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import type { HeldImage } from '../oci/pull.ts';
import { openSnapshot, writeSnapshot } from '../snapshot/file.ts';
import { Lz4 } from '../snapshot/lz4.ts';
import { concat } from '../streams/concat.ts';
import { type ContainerMachine, resumeContainer } from './container.ts';
import { DEMO_IMAGES, PUBLIC, pull, start, store } from './testing/run.ts';
import { Shell } from './testing/shell.ts';

const TIMEOUT = 60_000;
const VERSIONS = { core: '', kernel: '', initramfs: '' };

let busybox: HeldImage;
let lz4: Lz4;

beforeAll(async () => {
  busybox = await pull(`${DEMO_IMAGES}:busybox`);
  lz4 = await Lz4.create(await WebAssembly.compile(readFileSync(join(PUBLIC, 'emulator.wasm'))));
});

/** Suspends a container into a file, and ends it. */
async function save(container: ContainerMachine): Promise<Uint8Array> {
  const { state, machine } = await container.suspend();
  const { ram } = machine;
  const header = { release: '1', versions: VERSIONS, ramBytes: ram.length, created: 0, about: null };
  const pieces: Uint8Array[] = [];
  for await (const piece of writeSnapshot({ header, state, ram }, lz4)) pieces.push(piece.slice());
  await container.destroy();
  return concat(pieces);
}

async function load(file: Uint8Array): Promise<ContainerMachine> {
  async function* bytes() {
    yield file;
  }
  const session = await openSnapshot(bytes(), { lz4: lz4.decompress }, VERSIONS);
  return resumeContainer({
    platform: nodePlatform(PUBLIC),
    image: busybox,
    store,
    cpus: 1,
    memoryBytes: 0,
    diskBytes: 256 << 20,
    network: {},
    session,
  });
}

describe('a container that is suspended', () => {
  it('goes on where it was, again and again', { timeout: TIMEOUT }, async () => {
    let container = await start({ image: busybox, args: ['sh'] });
    let shell = new Shell(container);
    await shell.run('cd /tmp; echo kept > file; sleep 1000 & A=0; echo ready', /ready/);
    const boot = await shell.run('cat /proc/sys/kernel/random/boot_id', /[-0-9a-f]{36}/);
    for (let round = 1; round <= 3; round++) {
      container = await load(await save(container));
      shell = new Shell(container);
      expect(
        await shell.run('A=$((A+1)); echo "A is $A"; cat file; jobs', /A is \d\nkept\n.*Running/s),
      ).toMatch(`A is ${round}\n`);
      expect(await shell.run('cat /proc/sys/kernel/random/boot_id', /[-0-9a-f]{36}/)).toBe(boot);
      const now = Number(await shell.run('date +%s', /\d{9,}/));
      expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(2);
    }
    const exec = container.exec({ args: ['cat', '/tmp/file'] });
    expect(await exec.exit).toBe(0);
    container.kill(9);
    expect(await container.exit).toBe(137);
    await container.destroy();
  });

  it('goes on with all its processes', { timeout: TIMEOUT }, async () => {
    const container = await start({ image: busybox, args: ['sleep', '1000'] });
    const first = new Shell(container.exec({ args: ['sh'] }));
    const second = new Shell(
      container.exec({ args: ['sh'], terminal: { type: 'xterm', columns: 80, rows: 24 } }),
    );
    await first.run('A=first; echo ready', /ready/);
    await second.run('A=second; echo re""ady', /ready/);
    const resumed = await load(await save(container));
    expect(resumed.resumed).toHaveLength(2);
    const [one, two] = resumed.resumed.map((process) => new Shell(process));
    expect(await one?.run('echo "is $A"', /is \w+/)).toBe('is first');
    expect(await two?.run('echo "is $A"', /is [a-z]+/)).toBe('is second');
    await resumed.destroy();
  });

  it('is refused with another image', { timeout: TIMEOUT }, async () => {
    const container = await start({ image: busybox, args: ['sleep', '1000'] });
    await container.started;
    const file = await save(container);
    const { layers } = busybox;
    try {
      Object.assign(busybox, { layers: [...layers].reverse().concat('sha256:0') });
      await expect(load(file)).rejects.toThrow(StateError);
    } finally {
      Object.assign(busybox, { layers });
    }
  });
});
