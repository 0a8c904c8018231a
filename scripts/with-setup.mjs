/** `node scripts/with-setup.mjs PROGRAM [ARGUMENT…]`: prepares what a program needs, then becomes it. */
import { bundleOf } from './setup/bundle.mjs';
import { runMain } from './setup/failure.mjs';
import { kernelFor } from './setup/options.mjs';
import { setUpFor } from './setup/purposes.mjs';

const [, , program, ...args] = process.argv;

/** @returns {Parameters<typeof setUpFor>[0]} */
function purpose() {
  if (program === 'elf') return 'elf';
  if (program === 'bench') return 'test';
  return kernelFor(args, process.env) === 'kernel' ? 'boot' : 'boot-smp';
}

await runMain(async () => {
  await setUpFor(purpose());
  const bundle = bundleOf(/** @type {import('./setup/bundle.mjs').Program} */ (program));
  process.argv = [process.execPath, bundle, ...args];
  await import(bundle);
});
