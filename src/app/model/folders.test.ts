import { expect, test } from 'vitest';
import { type ChosenFolder, foldersProblem, freePath, keptName } from './folders.ts';

const at = (path: string): ChosenFolder => ({ source: { kind: 'kept', name: 'x' }, path, mayWrite: true });

test('says why folders have no place', () => {
  expect(foldersProblem([at('/work'), at('/work2/')])).toBeUndefined();
  expect(foldersProblem([at('work')])).toMatch(/must be absolute/);
  expect(foldersProblem([at('/proc/x')])).toMatch(/choose another path/);
  expect(foldersProblem([at('/work'), at('/work/')])).toMatch(/same place/);
});

test('finds free places and names', () => {
  expect(freePath([at('/work'), at('/work2')])).toBe('/work3');
  expect(keptName('.My files/ä', [])).toBe('My-files-');
  expect(keptName('...', ['folder', 'folder-2'])).toBe('folder-3');
});
