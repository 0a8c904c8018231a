import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { bundle, COMMANDS, keepSourceFolder, TOOLS, WORKERS } from './bundle.mjs';
import { installedVersions, missingMessage } from './debian.mjs';
import { refusedOptions } from './kernel.mjs';
import { isInstalled } from './npm.mjs';
import { kernelFor } from './options.mjs';
import { formatDuration } from './progress.mjs';

test.each([
  [[], {}, 'kernel'],
  [['--cpus', '1'], {}, 'kernel'],
  [['--cpus', '2'], {}, 'kernel-smp'],
  [['--cpus=4', '--trace'], {}, 'kernel-smp'],
  [['--cpus', '4', '--cpus', '1'], {}, 'kernel'],
  [['--exec', 'make', '--cpus', '4'], {}, 'kernel'],
  [['--cpus', '2', '--exec', 'nproc'], {}, 'kernel-smp'],
  [['--cpus'], {}, 'kernel'],
  [['--cpus', 'many'], {}, 'kernel'],
  [[], { LINUXRUN_CPUS: '4' }, 'kernel-smp'],
  [['--cpus', '1'], { LINUXRUN_CPUS: '4' }, 'kernel'],
])('boot %j with %j needs %s', (args, env, kernel) => {
  expect(kernelFor(args, env)).toBe(kernel);
});

test('npm packages are current when each has its version; optional ones for other systems may be absent', () => {
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b-darwin': { version: '2.0.0', optional: true },
    },
  };
  const a = { 'node_modules/a': { version: '1.0.0' } };
  expect(isInstalled(wanted, { packages: a })).toBe(true);
  expect(isInstalled(wanted, { packages: { ...a, 'node_modules/b-darwin': { version: '1.9.0' } } })).toBe(
    false,
  );
  expect(isInstalled(wanted, { packages: { 'node_modules/a': { version: '1.0.1' } } })).toBe(false);
  expect(isInstalled(wanted, {})).toBe(false);
});

test('finds options that the kernel did not take', () => {
  const asked = '# a comment\nCONFIG_A=y\nCONFIG_B="text"\nCONFIG_C=y\n';
  expect(refusedOptions(asked, 'CONFIG_A=y\n# CONFIG_C is not set\nCONFIG_B="text"\n')).toEqual([
    'CONFIG_C=y',
  ]);
});

test('distinguishes installed Debian packages from unknown ones', async () => {
  const versions = await installedVersions(['dpkg', 'no-such-package-as-this']);
  expect([...versions.keys()]).toEqual(['dpkg']);
  expect(versions.get('dpkg')).toMatch(/^\d+\./);
});

test('names missing packages and the command that installs them', () => {
  expect(missingMessage(['bc', 'flex']).split('\n').at(-1)).toContain(
    'apt-get install -y --no-install-recommends bc flex',
  );
});

test('keeps the folder of each source in a bundle', () => {
  expect(keepSourceFolder('join(import.meta.dirname, "x"); import.meta.url', 'src/cli')).toBe(
    'join((import.meta.dirname + "/../../src/cli"), "x"); import.meta.url',
  );
});

test('bundles commands again when any of their files changes', async () => {
  const { metafile } = await build({
    entryPoints: { ...COMMANDS, ...TOOLS, ...WORKERS },
    bundle: true,
    write: false,
    metafile: true,
    outdir: 'dist',
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const files = Object.keys(metafile.inputs);
  expect(files.length).toBeGreaterThan(100);
  const { sources = [] } = bundle;
  const unknown = files.filter(
    (file) => !sources.some((each) => file === each || file.startsWith(`${each}/`)),
  );
  expect(unknown).toEqual([]);
});

test('formats durations', () => {
  expect([0, 59_499, 59_500, 605_000].map(formatDuration)).toEqual(['0:00', '0:59', '1:00', '10:05']);
});
