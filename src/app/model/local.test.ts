import { expect, it } from 'vitest';
import { droppedImage, isReferenceTo, localFolder } from './local.ts';

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

it('accepts a folder with any number of files, which some browsers list at once', async () => {
  const file = (n: number) => ({
    isFile: true,
    name: `${n}`,
    file: (give: (file: unknown) => void) => give({}),
  });
  const batches = [Array.from({ length: 200_000 }, (_, n) => file(n)), []];
  const folder = {
    name: 'layout',
    createReader: () => ({ readEntries: (give: (some: unknown) => void) => give(batches.shift()) }),
  };
  const items = [{ webkitGetAsEntry: () => folder }] as unknown as DataTransferItemList;
  const image = await droppedImage(items);
  expect(image?.kind === 'folder' && image.files.size).toBe(200_000);
});
