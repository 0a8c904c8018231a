import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { inProject } from './scripts/setup/places.mjs';
import { tellStaleBuilds } from './scripts/setup/stale.mjs';
import { translatorDefines } from './scripts/setup/translator.mjs';

const COMPILED = ['differential/differential', 'privileged/privileged', 'litmus/litmus'].map(
  (test) => `emulator-wasm/test/${test}.test.ts`,
);

/** Machines and programs, whose tests take most of the time. */
const SLOW = /\/(emulator-wasm|kernel|scripts|src\/(api|cli|container|disk|tools))\//;

/**
 * Small units whose files share processes, because starting a process and loading the modules again takes
 * longer than most of them.
 */
const UNITS =
  'src/{app/{editor,machine,model},docker,element,http,network,options,preview,snapshot,storage,terminal,text}/**/*.test.ts';

/**
 * Slow files first, so that none of them runs alone at the end. Units last, because only files that follow
 * each other share a process.
 */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      if (project.name === 'units') return 2;
      return SLOW.test(moduleId) ? 0 : 1;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

// Machines of different builds wait for each other, and tests with them.
await tellStaleBuilds();

export default defineConfig({
  define: translatorDefines(),
  resolve: { alias: { 'fast-check': inProject('scripts/testing/fast-check.mjs') } },
  test: {
    // Emulated machines take seconds, and each keeps a processor or more busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // One more than most machines of CI have processors, because many tests wait for time to pass.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    projects: [
      ...['src', 'emulator-wasm', 'kernel', 'bench', 'scripts'].map((folder) => ({
        extends: true as const,
        test: { name: folder, include: [`${folder}/**/*.test.ts`], exclude: [UNITS] },
      })),
      { extends: true, test: { name: 'units', include: [UNITS], isolate: false } },
      // The tests of the core again, with all code compiled before it runs.
      {
        extends: true,
        test: { name: 'compiled', include: COMPILED, env: { JIT: 'all' } },
      },
    ],
  },
});
