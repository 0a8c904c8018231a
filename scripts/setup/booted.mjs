/**
 * Boots the machine that most containers have, and saves it, so that they start from there. Its bytes depend
 * on the moments at which the guest reads the clock: they are made once for each kernel, not reproduced.
 */
import { join } from 'node:path';
import { bundleOf } from './bundle.mjs';
import { installedVersions } from './debian.mjs';
import { run } from './run.mjs';

/** The code that decides about what is saved, and its form. */
const CODE = [
  'emulator-wasm/layout.ts',
  'src/container/booted.ts',
  'src/tools/save-boot.ts',
  ...[
    'agent',
    'agent-codes',
    'agent-messages',
    'agent-requests',
    'boot',
    'device-tree',
    'kernel-image',
    'saved-blocks',
  ].map((name) => `src/machine/${name}.ts`),
  ...['block', 'console', 'fs', 'net', 'rng', 'vsock'].map((name) => `src/machine/devices/${name}/device.ts`),
  ...['virtio-device', 'virtqueue'].map((name) => `src/machine/devices/virtio/${name}.ts`),
  ...['file', 'pages', 'plain', 'sections'].map((name) => `src/snapshot/${name}.ts`),
];

/** @type {import('./step.mjs').Step} */
export const booted = {
  name: 'booted',
  title: 'machine that has booted',
  sources: [
    'public/emulator.wasm',
    'public/kernel/Image',
    'public/kernel/initramfs.cpio',
    ...CODE,
    'scripts/setup/booted.mjs',
  ],
  versions: async () => [...(await installedVersions(['zstd'])).values()],
  outputs: { booted: 'public/kernel/booted' },
  run: (work) => run('node', [bundleOf('save-boot'), join(work, 'booted')]),
};
