import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ CACHE: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  get CACHE() {
    return places.CACHE;
  },
}));

import { compileAssembly } from './core.mjs';

places.CACHE = mkdtempSync(join(tmpdir(), 'linuxrun-core-'));
afterAll(() => rmSync(places.CACHE, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

test.each([undefined, 'true'])('errors of AssemblyScript are not among its warnings, CI=%s', async (ci) => {
  vi.stubEnv('CI', ci);
  const source = join(places.CACHE, 'index.ts');
  const warned = 'export function warned(a: usize): u32 { return load<u32>(0) + <usize>(a - 1); }\n';
  writeFileSync(source, `${warned}export function wrong(a: i64): i32 { return a; }\n`);
  const failure = await compileAssembly(source, join(places.CACHE, 'out.wasm')).then(
    () => expect.unreachable(),
    (error: Error) => error.message,
  );
  expect(failure).toMatch(/ERROR AS200.*index\.ts\(2,45\)/s);
  expect(failure).not.toContain('WARNING');
});
