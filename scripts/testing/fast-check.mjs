/**
 * fast-check as tests import it. Properties are tried with the same values in each run, so that only a change
 * to the code makes one fail. FUZZ_SEED=number takes others.
 */
import fc from '../../node_modules/fast-check/lib/fast-check.js';

fc.configureGlobal({ seed: Number(process.env.FUZZ_SEED ?? 1) });

export * from '../../node_modules/fast-check/lib/fast-check.js';
export default fc;
