/**
 * `node scripts/with-setup.mjs PROGRAM [ARGUMENT…]` prepares what a program needs, then runs it in this
 * process.
 */

import { USAGE } from '../../src/cli/usage.mjs';
import { checkVariableNames } from '../../src/options/variables.mjs';
import { answer } from '../setup/about.mjs';
import { bundleOf, commandOf, workerOf } from '../setup/bundle.mjs';
import { runMain } from '../setup/failure.mjs';
import { looksUnchanged } from '../setup/glance.mjs';
import { kernelFor } from '../setup/options.mjs';
import { inProject } from '../setup/places.mjs';
import { purposeOfRun } from '../setup/ready.mjs';

const [, , program, ...args] = process.argv;

/**
 * Prepares what a program needs. The program checks its options itself, but a set-up may take minutes.
 * @param {keyof typeof import('../setup/purposes.mjs').PURPOSES} purpose
 * @param {() => Promise<void>} [checkOptions]
 */
async function prepare(purpose, checkOptions = async () => checkVariableNames(process.env)) {
  if (looksUnchanged(purpose)) return;
  await checkOptions();
  const { setUpFor } = await import('../setup/purposes.mjs');
  await setUpFor(purpose);
}

/** @param {string} file */
async function become(file) {
  process.argv = [process.execPath, file, ...args];
  await import(file);
}

/** @param {Parameters<typeof commandOf>[0]} command */
async function becomeCommand(command) {
  const file = commandOf(command);
  process.argv = [process.execPath, file, ...args];
  const { runCached } = await import(workerOf('node-cache'));
  runCached(file);
  // The command ends this process.
  await new Promise(() => {});
}

/**
 * Runs a program of the tests from its source, because it looks for neighbouring files there.
 * @param {string} file
 */
async function becomeSource(file) {
  await prepare('test');
  const { register } = await import('tsx/esm/api');
  register();
  await become(inProject(file));
}

/** @type {Record<string, () => Promise<void>>} */
const PROGRAMS = {
  async boot() {
    await prepare(kernelFor(args, process.env) === 'kernel' ? 'boot' : 'boot-smp');
    await become(bundleOf('boot'));
  },
  async run() {
    // Most runs need no part of it, and each file that Node reads delays the start.
    const options = () => import('../../src/cli/run-options.mjs');
    if (args.length > 0 && answer(args, (await options()).HELP)) return;
    await prepare(purposeOfRun(), async () => {
      const { readFlags, readOptions } = await options();
      readFlags(args);
      readOptions(process.env, inProject('public'));
    });
    await becomeCommand('run');
  },
  async linuxrun() {
    await prepare('run-smp');
    await becomeCommand('linuxrun');
  },
  async elf() {
    await prepare('elf');
    await become(bundleOf('elf'));
  },
  async bench() {
    await prepare('test');
    await become(bundleOf('bench'));
  },
  fuzz: () => becomeSource('emulator-wasm/test/differential/main.ts'),
  demo: () => becomeSource('e2e/demos/main.ts'),
  pictures: () => becomeSource('e2e/demos/pictures.ts'),
};

/** Answers a program that has no more help than its usage. What follows --exec is for another program. */
function answerUsage() {
  const usage = Object.entries(USAGE).find(([name]) => name === program)?.[1];
  const exec = args.indexOf('--exec');
  return usage !== undefined && answer(exec < 0 ? args : args.slice(0, exec), `usage: ${usage}\n`);
}

/** `run` passes on the container's exit status, so its own failures need a distinct one. */
const STATUS_OF_FAILURE = program === 'run' || program === 'linuxrun' ? 125 : 1;

await runMain(async () => {
  if (!answerUsage()) await PROGRAMS[program ?? '']?.();
}, STATUS_OF_FAILURE);
