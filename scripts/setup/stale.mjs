/** Tells at the start and at the end of a test run which builds are older than their sources. */
import { staleBuilds } from './purposes.mjs';

/** Vitest reads its configuration more than once in a process. */
const TOLD = Symbol.for('linuxrun.stale-builds-told');

export async function tellStaleBuilds() {
  const flags = /** @type {Record<symbol, boolean>} */ (/** @type {unknown} */ (process));
  if (flags[TOLD]) return;
  flags[TOLD] = true;
  const stale = await staleBuilds();
  if (stale.length === 0) return;
  const titles = stale.join(', ');
  const note = `\nNot up to date: ${titles}. Tests that use them fail or hang: run node scripts/setup.mjs test\n`;
  console.warn(note);
  // The first note is far above the failures.
  process.once('exit', () => console.warn(note));
}
