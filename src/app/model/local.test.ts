import { expect, it } from 'vitest';
import { localFolder } from './local.ts';

it('names the files of a folder by their paths in it', () => {
  const file = (path: string) => ({ webkitRelativePath: path }) as File;
  const folder = localFolder([file('layout/index.json'), file('layout/blobs/sha256/ab')]);
  expect(folder.name).toBe('layout');
  expect(folder.kind === 'folder' && [...folder.files.keys()]).toEqual(['index.json', 'blobs/sha256/ab']);
});
