import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RELEASE } from './versions.ts';

it('has the version of the package', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8')).version).toBe(RELEASE);
});
