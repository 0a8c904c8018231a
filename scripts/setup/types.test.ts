import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { inProject } from './places.mjs';
import { ensure } from './step.mjs';
import { AGREED_REPORT, API_REPORT, DECLARATIONS, types } from './types.mjs';

let report: string;
beforeAll(async () => {
  await ensure(types);
  report = await readFile(inProject(API_REPORT), 'utf8');
});

it('the public surface is the one that was agreed on', async () => {
  const agreed = await readFile(inProject(AGREED_REPORT), 'utf8').catch(() => '');
  expect(report, 'if the change is wanted, run `npm run api` and commit the report').toBe(agreed);
});

it('every public name is explained, and every type in its place is public', () => {
  // The name of an error explains itself.
  const bare = [...report.matchAll(/\(undocumented\)\n\s*(.*)/g)].map(([, line]) => line);
  expect(bare.filter((line) => line !== 'name: string;')).toEqual([]);
  expect(report.match(/ae-forgotten-export.*/g) ?? []).toEqual([]);
});

it('the declarations stand alone', async () => {
  const declarations = await readFile(inProject(DECLARATIONS), 'utf8');
  expect(declarations).toMatch(/export declare class Command /);
  expect(declarations).not.toMatch(/^import |\.\.\//m);
});
