import type { SharedFolder } from '../../../../folders/shared-folder.ts';
import type { TestMachine } from '../../testing/guest-driver.ts';
import { serveFuse } from '../channel.ts';
import { FsDevice } from '../device.ts';
import { FuseServer } from '../server.ts';

/** A device in slot 0 whose server is in this thread, too. */
export function servedDevice({ memory }: TestMachine): { device: FsDevice; server: FuseServer } {
  const device = new FsDevice(memory, 0);
  const server = new FuseServer();
  const { port1, port2 } = new MessageChannel();
  device.connect(port1);
  serveFuse(server, port2, memory, () => Promise.reject(new Error('not needed')));
  for (const port of [port1, port2]) (port as unknown as { unref(): void }).unref();
  return { device, server };
}

/** Such a device with one folder. */
export function deviceOf(folder: SharedFolder, machine: TestMachine): FsDevice {
  const { device, server } = servedDevice(machine);
  server.add(folder, false);
  return device;
}
