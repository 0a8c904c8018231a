import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Emulated machines take seconds, and each keeps a processor or more busy.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    maxWorkers: 2,
    projects: ['src', 'emulator-wasm', 'kernel', 'bench', 'scripts'].map((folder) => ({
      extends: true,
      test: { name: folder, include: [`${folder}/**/*.test.ts`] },
    })),
  },
});
