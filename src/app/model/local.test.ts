import { expect, it } from 'vitest';
import { isReferenceTo, localFolder } from './local.ts';

it('names the files of a folder by their paths in it', () => {
  const file = (path: string) => ({ webkitRelativePath: path }) as File;
  const folder = localFolder([file('layout/index.json'), file('layout/blobs/sha256/ab')]);
  expect(folder.name).toBe('layout');
  expect(folder.kind === 'folder' && [...folder.files.keys()]).toEqual(['index.json', 'blobs/sha256/ab']);
});

it.each([
  ['file://a.tar', true],
  ['file:///home/me/a.tar:web', true],
  ['file://b.tar', false],
  ['a.tar', false],
  ['No Reference', false],
])('%s means the file a.tar: %s', (image, expected) => {
  const local = { kind: 'file', name: 'a.tar', file: {} as File } as const;
  expect(isReferenceTo(local, image)).toBe(expected);
});
