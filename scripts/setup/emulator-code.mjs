/**
 * Compiles the hot code of the emulators of other processors, so that programs start with it. What is hot
 * differs a little from run to run: it is made once for each version of the compiler, not reproduced.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleOf } from './bundle.mjs';
import { installedVersions } from './debian.mjs';
import { busyboxFiles, LayoutWriter } from './images.mjs';
import { inProject } from './places.mjs';
import { FOLDER, PROGRAMS } from './qemu-user.mjs';
import { run } from './run.mjs';

/** Programs whose code the emulator translates: it is itself what runs most of the time. */
const SCRIPT = `
set -e
cd /tmp
i=0
while [ $i -lt 100 ]; do echo "$i $((i * 7919 % 1000)) line"; i=$((i + 1)); done > lines
sort -k 2 -n lines | md5sum
awk '{ sum += $2 * 1.5; count[$3]++ } END { for (word in count) printf "%s %d %.2f\\n", word, count[word], sum }' lines
sed -E 's/([0-9]+) line/<\\1>/' lines | gzip | gunzip | sha256sum
grep -c 9 lines
tar -c lines | tar -t
`;

const KERNEL = 'public/kernel';
const ARCHITECTURES = Object.keys(PROGRAMS);

/** @type {import('./step.mjs').Step} */
export const emulatorCode = {
  name: 'emulator-code',
  title: 'compiled code of the emulators',
  sources: [
    ...ARCHITECTURES.flatMap((name) => [`dist/busybox-${name}`, join(KERNEL, `emulator-${name}`)]),
    ...['emulator-wasm/assembly', 'emulator-wasm/jit', 'emulator-wasm/layout.ts'],
    ...['emulator-code', 'images', 'qemu-user'].map((name) => `scripts/setup/${name}.mjs`),
    'src/tools/emulator-code.ts',
  ],
  versions: async () => [...(await installedVersions(['zstd'])).values()],
  outputs: Object.fromEntries(
    ARCHITECTURES.map((name) => [`emulator-${name}-code`, join(KERNEL, `emulator-${name}-code`)]),
  ),
  async run(work) {
    for (const [architecture, program] of Object.entries(PROGRAMS)) {
      const [layout, code] = [join(work, architecture), join(work, `${architecture}.code`)];
      const file = `emulator-${architecture}-code`;
      // What an older build has compiled would be missing in this one.
      await rm(inProject(join(KERNEL, file)), { force: true });
      const writer = new LayoutWriter(layout);
      const files = busyboxFiles(await readFile(inProject(`dist/busybox-${architecture}`)));
      const layer = await writer.add('busybox', files, { Env: ['PATH=/bin'] }, architecture);
      await writer.finish();
      const emulator = inProject(join(FOLDER, program));
      await run('node', [bundleOf('emulator-code'), layout, layer, SCRIPT, emulator, code]);
      await run('zstd', ['-19', '--single-thread', '--quiet', code, '-o', join(work, file)]);
    }
  },
};
