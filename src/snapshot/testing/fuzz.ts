import { vi } from 'vitest';

/** The bounded runs of `npm test`, always the same; LONG_TESTS=1 makes more, FUZZ_SEED=number others. */
export const FUZZ = {
  seed: Number(process.env.FUZZ_SEED ?? 1),
  numRuns: process.env.LONG_TESTS ? 100_000 : 500,
} as const;

if (process.env.LONG_TESTS) vi.setConfig({ testTimeout: 3_600_000 });
