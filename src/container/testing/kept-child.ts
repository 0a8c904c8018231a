/**
 * `tsx kept-child.ts FOLDER NAME SCRIPT`: runs a script in a kept container, in a process of its own that a
 * test can kill. The container and its image are in the store already.
 */
import { diskSerial, Machine } from '../../machine/machine.ts';
import { nodePlatform } from '../../machine/platform/node.ts';
import { nodeStore } from '../../storage/node.ts';
import { PUBLIC } from './places.ts';

const [folder = '', name = '', script = ''] = process.argv.slice(2);
const container = await nodeStore(folder).containers.open(name);
const { id, layers, diskBytes } = container.record;
const platform = nodePlatform(PUBLIC);
const machine = await Machine.start(platform, {
  emulator: await platform.loadEmulator(),
  kernel: await platform.loadFile('kernel/Image'),
  initrd: await platform.loadFile('kernel/initramfs.cpio'),
  cpus: 1,
  memoryBytes: 128 << 20,
  commandLine: 'quiet',
  disks: [
    { kind: 'image', store: folder },
    { kind: 'kept', store: folder, disk: id, sizeBytes: diskBytes },
  ],
});
await machine.openImage(layers);
const first = machine.runContainer({
  ...{ args: ['sh', '-c', script], env: ['PATH=/bin'], directory: '/', user: '', name: 'kept' },
  ...{ hostname: 'kept', volumes: [], devices: [], tmpfs: [], kept: true },
  disks: { image: diskSerial(0), scratch: diskSerial(1) },
});
for await (const bytes of first.stdout) process.stdout.write(bytes);
machine.powerOff();
await machine.exit;
await container.close();
