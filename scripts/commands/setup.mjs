/**
 * `node scripts/setup.mjs [PURPOSE]` prepares everything that a purpose needs. The default purpose is `test`.
 */
import { runMain, SetupFailure } from '../setup/failure.mjs';
import { PURPOSES, setUpFor } from '../setup/purposes.mjs';

await runMain(async () => {
  const purpose = process.argv[2] ?? 'test';
  if (!Object.hasOwn(PURPOSES, purpose)) {
    throw new SetupFailure(`no such purpose: ${purpose}; there are ${Object.keys(PURPOSES).join(', ')}`);
  }
  await setUpFor(/** @type {keyof typeof PURPOSES} */ (purpose));
});
