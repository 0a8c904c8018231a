/** Compiles the machine's core from AssemblyScript to WebAssembly. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inProject } from './places.mjs';
import { run } from './run.mjs';

const ASC = 'node_modules/assemblyscript';

/** Memory limits are in pages of 64 KiB. The host creates the memory and chooses its size within them. */
const FLAGS = [
  ...['--runtime', 'stub', '--importMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--exportTable', '--enable', 'threads', '-O3', '--noAssert'],
];

/** @type {import('./step.mjs').Step} */
export const core = {
  name: 'core',
  title: 'emulator core',
  sources: ['emulator-wasm/assembly', 'emulator-wasm/layout.ts'],
  versions: async () => [
    JSON.parse(await readFile(inProject(`${ASC}/package.json`), 'utf8')).version,
    ...FLAGS,
  ],
  outputs: { 'emulator.wasm': 'public/emulator.wasm' },
  run: (work) =>
    run('node', [
      join(ASC, 'bin/asc.js'),
      'emulator-wasm/assembly/index.ts',
      ...['-o', join(work, 'emulator.wasm')],
      ...FLAGS,
    ]),
};
