/**
 * Fetches the programs of QEMU that emulate other processors for single programs, from Debian and for
 * riscv64, and puts each on a disk for the guest.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadPackage, MIRROR, SUITES } from './apt.mjs';
import { bundleOf } from './bundle.mjs';
import { installedVersions } from './debian.mjs';
import { withStart } from './elf-start.mjs';
import { inProject } from './places.mjs';
import { run } from './run.mjs';
import { writeTar } from './tar.mjs';

const PACKAGE = 'qemu-user';
/** Its static programs, by the architectures of images that they emulate. */
export const PROGRAMS = { arm64: 'qemu-aarch64', amd64: 'qemu-x86_64' };
/** Code before the entry point of some of them. @type {Record<string, string>} */
const STARTS = { arm64: 'kernel/emulator/start.S' };
export const FOLDER = 'dist/qemu-user';
const DOCUMENTATION = `usr/share/doc/${PACKAGE}`;

export const QEMU_COPYRIGHT = join(FOLDER, 'copyright');
/** Names the versions of the sources. */
export const QEMU_CONTROL = join(FOLDER, 'control');

/** @type {import('./step.mjs').Step} */
export const qemuUser = {
  name: 'qemu-user',
  title: 'QEMU for programs of other processors',
  versions: () => [PACKAGE, MIRROR, ...SUITES, ...Object.values(PROGRAMS)],
  outputs: { 'qemu-user': FOLDER },
  async run(work) {
    const target = join(work, 'qemu-user');
    await mkdir(target, { recursive: true });
    const file = await downloadPackage(work, PACKAGE);
    // The package has about forty programs of 10 MB.
    const wanted = [
      ...Object.values(PROGRAMS).map((name) => `usr/bin/${name}`),
      `${DOCUMENTATION}/copyright`,
    ];
    const extract = 'dpkg-deb --fsys-tarfile "$0" | tar -x --transform "s|.*/||" "$@"';
    await run('sh', ['-c', extract, file, ...wanted.map((path) => `./${path}`)], { cwd: target });
    await run('dpkg', ['-e', file, join(work, 'DEBIAN')]);
    await rename(join(work, 'DEBIAN/control'), join(target, 'control'));
    await rm(file);
  },
};

/** @type {import('./step.mjs').Step} */
export const emulators = {
  name: 'emulators',
  title: 'emulators of other processors',
  sources: [
    FOLDER,
    ...['', '-chunks', '-directory', '-layout', '-xattr'].map((part) => `src/disk/erofs${part}.ts`),
    'src/tools/emulator-disk.ts',
    ...Object.values(STARTS),
    'scripts/setup/elf-start.mjs',
    'scripts/setup/qemu-user.mjs',
    'scripts/setup/tar.mjs',
  ],
  versions: async () => [...(await installedVersions(['zstd'])).values()],
  outputs: Object.fromEntries(
    Object.keys(PROGRAMS).map((name) => [`emulator-${name}`, `public/kernel/emulator-${name}`]),
  ),
  async run(work) {
    for (const [architecture, program] of Object.entries(PROGRAMS)) {
      const [tar, disk] = [join(work, `${program}.tar`), join(work, program)];
      const start = STARTS[architecture];
      const original = await readFile(inProject(join(FOLDER, program)));
      const data = start ? await withStart(work, original, inProject(start)) : original;
      await writeFile(tar, writeTar([{ path: 'qemu', type: 'file', data }]));
      await run('node', [bundleOf('emulator-disk'), tar, disk]);
      const result = join(work, `emulator-${architecture}`);
      await run('zstd', ['-19', '--single-thread', '--quiet', disk, '-o', result]);
    }
  },
};
