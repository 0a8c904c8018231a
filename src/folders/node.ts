import type { OpenFolder } from './folder-options.ts';
import { HostFolder } from './host-folder.ts';
import { RemoteFolder } from './remote-folder.ts';

export const openFolder: OpenFolder = (options) => {
  if (options.kind === 'remote') return new RemoteFolder(options.port);
  if (options.kind === 'host') return new HostFolder(options.path);
  throw new Error('Node has no folders of browsers');
};
