import { SERVER_FOLDERS } from '../../emulator-wasm/layout.ts';
import { type FolderOptions, type OpenFolder, placeOf } from '../folders/folder-options.ts';
import { RemoteLocks } from '../folders/remote-locks.ts';
import { DeviceBus } from './device-bus.ts';
import type { FromDevice, Question, ToDevice } from './devices/fs/channel.ts';
import { FsDevice } from './devices/fs/device.ts';
import { FuseServer } from './devices/fs/server.ts';
import { GuestMemory } from './devices/virtio/guest-memory.ts';
import { packError } from './errors.ts';
import type { FoldersStart } from './protocol.ts';
import type { Plain } from './state.ts';

/** Serves the shared folders of a machine. Nothing else waits while it reads and writes files. */
export function runFolders({ memory, port, locks }: FoldersStart, openFolder: OpenFolder): void {
  const server = new FuseServer(new RemoteLocks(locks));
  let device: FsDevice | undefined;
  const takeOver = async (slot: number, state: Plain) => {
    device = new FsDevice(new GuestMemory(memory.buffer as unknown as SharedArrayBuffer), slot, server);
    await device.resume(state);
    if ('waitAsync' in Atomics) void new DeviceBus(memory, [device], { server: SERVER_FOLDERS }).watch();
  };
  const answer = async (type: Question): Promise<Plain> => {
    if (type === 'suspend') return (await device?.suspend()) ?? null;
    await device?.close();
    return null;
  };
  port.onmessage = async ({ data }: MessageEvent<ToDevice>) => {
    switch (data.type) {
      case 'take-over':
        return takeOver(data.slot, data.state);
      case 'share':
        server.add(opened(openFolder, data.folder), data.readOnly, placeOf(data.folder));
        break;
      case 'doorbell':
        device?.poll();
        break;
      case 'proceed':
        device?.proceed();
        break;
      default: {
        const { id } = data;
        const answered = answer(data.type).then(
          (value): FromDevice => ({ id, value }),
          (error): FromDevice => ({ id, error: packError(error) }),
        );
        port.postMessage(await answered);
      }
    }
  };
}

/** The guest is told of failures when it asks for the folder. */
async function opened(openFolder: OpenFolder, folder: FolderOptions) {
  return openFolder(folder);
}
