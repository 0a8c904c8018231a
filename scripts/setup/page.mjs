/** Builds the page with Vite. */
import { join } from 'node:path';
import { run } from './run.mjs';

/** @type {import('./step.mjs').Step} */
export const page = {
  name: 'page',
  title: 'page',
  sources: [
    'index.html',
    'vite.config.ts',
    'src',
    'emulator-wasm/layout.ts',
    'emulator-wasm/jit',
    'emulator-wasm/assembly',
    'package-lock.json',
  ],
  outputs: { app: 'dist/app' },
  async run(work) {
    const args = ['node_modules/vite/bin/vite.js', 'build', '--outDir', join(work, 'app')];
    // With another value in the user's environment, Vite builds a page for development.
    await run('node', args, { env: { NODE_ENV: 'production' } });
  },
};
