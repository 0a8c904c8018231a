/** Tells scripts/run.cjs whether everything is built. It is bundled, so that run.cjs reads only one file. */
import { looksUnchanged } from './glance.mjs';
import { kernelFor } from './options.mjs';

/** The purpose of the set-up that `./run.sh` needs. */
export const purposeOfRun = () => (kernelFor([], process.env) === 'kernel' ? 'run' : 'run-smp');

/** Whether `./run.sh` may start its command at once. */
export const isReady = () => looksUnchanged(purposeOfRun());
