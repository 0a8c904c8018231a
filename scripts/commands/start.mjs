/** `npm start` prepares and serves LinuxRun, then builds the kernel for machines with several harts. */
import { spawn } from 'node:child_process';
import { bundleOf } from '../setup/bundle.mjs';
import { runMain } from '../setup/failure.mjs';
import { kernelSmp } from '../setup/kernel.mjs';
import { inProject } from '../setup/places.mjs';
import { setUpFor } from '../setup/purposes.mjs';
import { isInPlace } from '../setup/step.mjs';

await runMain(async () => {
  await setUpFor('start');
  process.argv = [process.execPath, bundleOf('server'), ...process.argv.slice(2)];
  await import(bundleOf('server'));
  if (await isInPlace(kernelSmp)) return;
  // In the background and at low priority, so that serving the page comes first.
  const args = ['-n', '10', process.execPath, inProject('scripts/setup.mjs'), 'kernel-smp'];
  const builder = spawn('nice', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  builder.unref();
  process.once('exit', () => builder.kill());
});
