/** Names the translator and the core: the code that one version of them has compiled is for that one only. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProject } from './places.mjs';

const FOLDER = inProject('emulator-wasm');

/** What bundlers put in place of the names in sources, as TypeScript: `TRANSLATOR` is the version. */
export function translatorDefines() {
  const digest = createHash('sha256');
  for (const part of ['assembly', 'jit', '.']) {
    const names = readdirSync(join(FOLDER, part), { recursive: part !== '.', encoding: 'utf8' });
    const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
    for (const source of sources.sort()) digest.update(readFileSync(join(FOLDER, part, source)));
  }
  return { TRANSLATOR: JSON.stringify(digest.digest('hex')) };
}
