import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TarIndexer } from '../disk/tar.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import { parseReference } from '../oci/reference.ts';
import type { Architecture } from '../options/platform.mjs';
import { nodeStore } from '../storage/node.ts';
import type { ContainerMachine } from './container.ts';
import { loadImage } from './image.ts';
import { compileHere, FOREIGN, type Foreign, foreignBusybox, OWN, writeLayout } from './testing/foreign.ts';
import { illegalProgram } from './testing/illegal-program.ts';
import { run, start, store, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const UNAME = { arm64: 'aarch64', amd64: 'x86_64' };
const folder = mkdtempSync(join(tmpdir(), 'linuxrun-emulated-'));

/** Pulls the image of a tag for a processor, or the one that is taken without. */
const pullFor = (tag: string, architecture?: Architecture) =>
  loadImage(
    nodeSource(parseReference(`oci://${folder}:${tag}`), { createTarReader: () => new TarIndexer() }),
    nodeStore(store),
    { codec: nodeCodec, preferStored: false, architecture, signal: new AbortController().signal },
  );

const program = (name: string, data: Buffer) => ({ path: `bin/${name}`, type: 'file', data }) as const;

beforeAll(() => {
  const own = ['threads', 'lacking'].map((name) =>
    program(name, compileHere(join(import.meta.dirname, `testing/${name}.c`), join(folder, name))),
  );
  own.push(program('dynamic', readFileSync('/bin/true')));
  const images = FOREIGN.map((architecture) =>
    foreignBusybox(architecture, [
      program('script', Buffer.from('#!/bin/sh\necho "script $0 $1"\n')),
      program('illegal', illegalProgram(architecture)),
      ...(architecture === OWN ? own : []),
    ]),
  );
  writeLayout(folder, { busybox: images, amd64: images.slice(1) });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(FOREIGN)('a container of an image for %s', (architecture: Foreign) => {
  let container: ContainerMachine;
  const shell = async (script: string) => {
    const { stdin, stdout, exit } = container.exec({ args: ['sh', '-c', `{ ${script}\n} 2>&1`] });
    await stdin.close();
    return `${await text(stdout)}${await exit}`;
  };

  beforeAll(async () => {
    container = await start({
      image: pullFor('busybox', architecture),
      args: ['sleep', '100000'],
    });
  }, TIMEOUT);
  afterAll(() => container.destroy());

  test('runs programs, with children, pipes, scripts and signals', { timeout: TIMEOUT }, async () => {
    const programs = 'uname -m; echo a b | tr a-z A-Z; script x; (exit 3); echo $?';
    const signals = `trap 'echo caught' TERM; kill $$; sh -c 'kill -9 $$'; echo $?; false`;
    expect(await shell(`${programs}; ${signals}`)).toBe(
      `${UNAME[architecture]}\nA B\nscript /bin/script x\n3\ncaught\nKilled\n137\n1`,
    );
  });

  // All emulators are registered in the same way.
  test.runIf(architecture === OWN)('shows nothing of the emulator', { timeout: TIMEOUT }, async () => {
    const list =
      'ls -d /run/emulator /run/binfmt; ls -A /proc/sys/fs/binfmt_misc; grep -c emulator /proc/mounts';
    expect(await shell(`${list}; readlink /proc/self/exe; cat /proc/self/comm 2>&1`)).toMatch(
      /^ls: \/run\/emulator: No.*\nls: \/run\/binfmt: No.*\n0\n\/bin\/busybox\nbusybox\n0$/,
    );
  });

  test.runIf(architecture === 'arm64')(
    'has a simple processor, unless the user names another',
    { timeout: TIMEOUT },
    async () => {
      const look = 'grep part /proc/cpuinfo; env | grep QEMU';
      expect(await shell(`${look}; export QEMU_CPU=cortex-a72; ${look}`)).toBe(
        'CPU part\t: 0xd0c\nCPU part\t: 0xd08\nQEMU_CPU=cortex-a72\n0',
      );
    },
  );

  test.runIf(architecture === OWN)('gives no rights of root to its users', { timeout: TIMEOUT }, async () => {
    await shell('cp /bin/busybox /bin/owned; chmod 4755 /bin/owned');
    const log = 'QEMU_LOG=strace QEMU_LOG_FILENAME=/bin/log /bin/owned true';
    const user = container.exec({ args: ['sh', '-c', log], user: '1000' });
    await user.stdin.close();
    await user.exit;
    expect(await shell('ls /bin/log')).toBe('ls: /bin/log: No such file or directory\n1');
  });

  test.runIf(architecture === OWN)('runs threads', { timeout: TIMEOUT }, async () => {
    expect(await shell('threads')).toBe('8000 8000, signal 10, child 9\n7');
  });

  test.runIf(architecture === OWN)(
    'refuses what emulation lacks, by an error',
    { timeout: TIMEOUT },
    async () => {
      expect(await shell('lacking')).toBe(
        'ptrace: Function not implemented\nio_uring: Function not implemented\nseccomp filter: Invalid argument\n0',
      );
    },
  );

  // One that lacks its dynamic linker.
  test.runIf(architecture === OWN)('names an interpreter that is missing', { timeout: TIMEOUT }, async () => {
    const { status, messages } = await run({ image: pullFor('busybox', architecture), args: ['dynamic'] });
    expect([status, messages]).toEqual([
      127,
      expect.stringMatching(/^LinuxRun: dynamic: its interpreter \/lib\S+ is not found\n$/),
    ]);
  });

  test('says what an illegal instruction means', { timeout: TIMEOUT }, async () => {
    const { status, messages } = await run({ image: pullFor('busybox', architecture), args: ['illegal'] });
    expect([status, messages]).toEqual([
      132,
      'LinuxRun: a program used an instruction that its emulated processor does not have (SIGILL)\n',
    ]);
  });
});

test('an image for several processors runs as the first of them', { timeout: TIMEOUT }, async () => {
  const image = await pullFor('busybox');
  expect(image.config.architecture).toBe('arm64');
  // The usual machine goes on from its saved state.
  expect(
    await run({ image, args: ['uname', '-m'], memoryBytes: 512 << 20, network: {}, diskBytes: 2 ** 30 }),
  ).toMatchObject({ status: 0, stdout: 'aarch64\n' });
});
