import { browserRoom, folderFiles, originLocks } from '../storage/browser.ts';
import type { OpenFolder } from './folder-options.ts';
import { PickedFolder } from './picked-folder.ts';
import { RemoteFolder } from './remote-folder.ts';
import { StoredFolders } from './stored-folders.ts';

/** The folders that the browser keeps for this origin. */
export const browserFolders = new StoredFolders(
  folderFiles,
  originLocks,
  async () => (await browserRoom()).freeBytes ?? 0,
);

export const openFolder: OpenFolder = (options) => {
  switch (options.kind) {
    case 'remote':
      return new RemoteFolder(options.port);
    case 'picked':
      return new PickedFolder(options.handle);
    case 'stored':
      return browserFolders.open(options.name);
    case 'host':
      throw new Error('a browser has no folders of the host');
  }
};
