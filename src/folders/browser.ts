import type { OpenFolder } from './folder-options.ts';
import { RemoteFolder } from './remote-folder.ts';

export const openFolder: OpenFolder = (options) => {
  if (options.kind === 'remote') return new RemoteFolder(options.port);
  throw new Error('a browser has no folders of the host');
};
