import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inProject, PROJECT } from './places.mjs';
import { RELEASE } from './release.mjs';
import { sourcePackagesOf } from './sources.mjs';

const execute = promisify(execFile);
const run = (cwd: string, env: Record<string, string>, program: string, ...args: string[]) =>
  execute(program, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
const release = (clone: string, env: Record<string, string> = {}) =>
  run(clone, env, process.execPath, join(clone, 'scripts/release.mjs'));
const readSums = (clone: string) => readFile(join(clone, RELEASE, 'SHA256SUMS'), 'utf8');

/**
 * Steps that do not run again in the other clone, because they take minutes or download. A machine that boots
 * again reads the clock at other moments.
 */
const KEPT = {
  core: ['public/emulator.wasm'],
  kernel: ['public/kernel/Image', 'dist/kernel-headers'],
  'kernel-smp': ['public/kernel/Image-smp'],
  booted: ['public/kernel/booted'],
  busybox: ['dist/busybox', 'dist/busybox-copyright', 'dist/busybox-control'],
  'qemu-user': ['dist/qemu-user'],
  emulators: ['public/kernel/emulator-arm64', 'public/kernel/emulator-amd64'],
  'foreign-busybox': ['dist/busybox-arm64', 'dist/busybox-amd64'],
  'emulator-code': ['public/kernel/emulator-arm64-code', 'public/kernel/emulator-amd64-code'],
  'program-sources': ['dist/program-sources'],
  types: ['dist/types'],
};

describe('a release', () => {
  const folders: string[] = [];
  let clone: string;

  /** A clone in another folder, with the changes of this one that are not committed yet. */
  beforeAll(async () => {
    for (const name of ['clone', 'cache']) folders.push(await mkdtemp(join(tmpdir(), `linuxrun-${name}-`)));
    clone = join(folders[0] ?? '', 'of the project');
    await run(PROJECT, {}, 'git', 'clone', '--quiet', '--shared', PROJECT, clone);
    const changed = ['ls-files', '-z', '--modified', '--others', '--exclude-standard'];
    const { stdout } = await run(PROJECT, {}, 'git', ...changed);
    const stamps = Object.keys(KEPT).map((name) => `dist/.setup/${name}`);
    const paths = [
      ...stdout.split('\0').filter((name) => name !== ''),
      ...stamps,
      ...Object.values(KEPT).flat(),
    ];
    for (const path of paths) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await rm(join(clone, path), { force: true });
      await cp(inProject(path), join(clone, path), { recursive: true }).catch((error) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await run(PROJECT, {}, 'cp', '-al', inProject('node_modules'), join(clone, 'node_modules'));
  });
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  test('has the same bytes in another clone, and says how large its parts are', {
    timeout: 240_000,
  }, async () => {
    const { stdout } = await release(PROJECT);
    const [, cache = ''] = folders;
    await release(clone, { XDG_CACHE_HOME: cache });
    expect((await readdir(join(cache, 'linuxrun'))).sort()).toEqual(
      expect.arrayContaining(['package', 'page', 'production', 'site']),
    );
    const sums = await readSums(PROJECT);
    expect((await readSums(clone)).split('\n')).toEqual(sums.split('\n'));
    for (const name of [
      'linuxrun-\\S+\\.tgz',
      'linuxrun-\\S+-sources\\.tar',
      'server\\.mjs',
      'site/',
      'previews/',
    ])
      expect(stdout).toMatch(new RegExp(`^ +\\d+\\.\\d\\d MB  ${name}( |$)`, 'm'));
    for (const name of ['site/index.html', 'site/_headers', 'previews/404.html', 'server.mjs'])
      expect(sums).toContain(`  ${name}\n`);
  });

  test('holds the sources of the kernel, of BusyBox, of QEMU and of their libraries, and how to build them', async () => {
    const [archive = ''] = (await readdir(inProject(RELEASE))).filter((name) =>
      name.endsWith('-sources.tar'),
    );
    const { stdout: list } = await run(inProject(RELEASE), {}, 'tar', '-tf', archive);
    for (const name of [
      'README.md',
      'linux/linux-source-6.12.tar.xz',
      'linuxrun/kernel/linux.config',
      'linuxrun/kernel/linux-smp.config',
      'linuxrun/kernel/patches/fuse-locks.patch',
      'linuxrun/scripts/setup/kernel.mjs',
      'linuxrun/kernel/init/main.c',
      'linuxrun/kernel/demo/hello.c',
    ])
      expect(list).toContain(`${archive.replace(/\.tar$/, '')}/${name}\n`);
    for (const name of [
      'busybox_\\S+\\.dsc',
      'busybox_\\S+\\.orig\\.tar\\.\\w+',
      'qemu_\\S+\\.dsc',
      'qemu_\\S+\\.orig\\.tar\\.\\w+',
      'glib2\\.0_\\S+\\.dsc',
      'glibc_\\S+\\.dsc',
      'glibc_\\S+\\.orig\\.tar\\.\\w+',
    ])
      expect(list).toMatch(new RegExp(`/debian/${name}\n`));
    const { stdout: text } = await run(
      inProject(RELEASE),
      {},
      'tar',
      '-xOf',
      archive,
      '--wildcards',
      '*/README.md',
    );
    expect(text).toContain('allnoconfig');
    expect(text).toMatch(/riscv64-linux-gnu-gcc .*\d/);
  });
});

describe('the source packages of a binary package', () => {
  test.each([
    ['Package: busybox\nVersion: 1:1.2-3\n', [['busybox', '1:1.2-3']]],
    [
      'Package: busybox-static\nSource: busybox (1:1.2-3)\nVersion: 1:1.2-3+b9\nBuilt-Using: glibc (= 2.41-12)\n',
      [
        ['busybox', '1:1.2-3'],
        ['glibc', '2.41-12'],
      ],
    ],
    [
      'Package: p\nSource: s\nVersion: 2\nBuilt-Using: a (= 1), b (= 1:2~x), gcc-14 (= 14.2.0-19)\nStatic-Built-Using: c (= 3),\n d (= 4)\nSection: x\n',
      [
        ['s', '2'],
        ['a', '1'],
        ['b', '1:2~x'],
        ['c', '3'],
        ['d', '4'],
      ],
    ],
  ])('are read from %j', (control, packages) => {
    expect(sourcePackagesOf(control).map(({ name, version }) => [name, version])).toEqual(packages);
  });
});
