import type { OpenFolder } from './folder-options.ts';
import { HostFolder } from './host-folder.ts';
import { RemoteFolder } from './remote-folder.ts';

export const openFolder: OpenFolder = (options) =>
  options.kind === 'remote' ? new RemoteFolder(options.port) : new HostFolder(options.path);
