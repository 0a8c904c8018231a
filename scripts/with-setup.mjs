/** `node scripts/with-setup.mjs PROGRAM [ARGUMENT…]`: prepares what a program needs, then becomes it. */
import { bundleOf } from './setup/bundle.mjs';
import { runMain } from './setup/failure.mjs';
import { kernelFor } from './setup/options.mjs';
import { inProject } from './setup/places.mjs';
import { setUpFor } from './setup/purposes.mjs';

const [, , program, ...args] = process.argv;

/** @param {string} file */
async function become(file) {
  process.argv = [process.execPath, file, ...args];
  await import(file);
}

/** @type {Record<string, () => Promise<void>>} */
const PROGRAMS = {
  async boot() {
    await setUpFor(kernelFor(args, process.env) === 'kernel' ? 'boot' : 'boot-smp');
    await become(bundleOf('boot'));
  },
  async run() {
    const isHelp = args.includes('--help') || args.includes('-h');
    await setUpFor(isHelp ? 'help' : kernelFor([], process.env) === 'kernel' ? 'run' : 'run-smp');
    await become(bundleOf('run'));
  },
  async elf() {
    await setUpFor('elf');
    await become(bundleOf('elf'));
  },
  async bench() {
    await setUpFor('test');
    await become(bundleOf('bench'));
  },
  /** A test, which finds its neighbours where the sources are. */
  async fuzz() {
    await setUpFor('test');
    const { register } = await import('tsx/esm/api');
    register();
    await become(inProject('emulator-wasm/test/differential/main.ts'));
  },
};

await runMain(async () => PROGRAMS[program ?? '']?.());
