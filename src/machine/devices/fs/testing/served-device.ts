import type { SharedFolder } from '../../../../folders/shared-folder.ts';
import type { TestMachine } from '../../testing/guest-driver.ts';
import { FsDevice } from '../device.ts';
import { FuseServer } from '../server.ts';

/** A device in slot 0 with its server. */
export function servedDevice({ memory }: TestMachine): { device: FsDevice; server: FuseServer } {
  const server = new FuseServer();
  return { device: new FsDevice(memory, 0, server), server };
}

/** Such a device with one folder. */
export function deviceOf(folder: SharedFolder, machine: TestMachine): FsDevice {
  const { device, server } = servedDevice(machine);
  server.add(folder, false);
  return device;
}
