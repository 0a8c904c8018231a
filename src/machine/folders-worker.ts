import type { OpenFolder } from '../folders/folder-options.ts';
import { serveFuse } from './devices/fs/channel.ts';
import { FuseServer } from './devices/fs/server.ts';
import { GuestMemory } from './devices/virtio/guest-memory.ts';
import type { FoldersStart } from './protocol.ts';

/** Serves the shared folders of a machine. Nothing else waits while it reads and writes files. */
export function runFolders({ memory, port }: FoldersStart, openFolder: OpenFolder): void {
  const guest = new GuestMemory(memory.buffer as unknown as SharedArrayBuffer);
  serveFuse(new FuseServer(), port, guest, openFolder);
}
