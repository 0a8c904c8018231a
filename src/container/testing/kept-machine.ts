/** Machines with a kept disk whose writes are recorded. */
import { Worker } from 'node:worker_threads';
import { diskSerial, type FirstProcess, type Machine } from '../../machine/machine.ts';
import { bundle } from '../../machine/platform/bundle.ts';
import { nodePlatform } from '../../machine/platform/node.ts';
import type { Platform } from '../../machine/platform/platform.ts';
import { boot, DEMO_IMAGES, PUBLIC, pull, store } from './run.ts';

/** A platform whose machine worker records all writes to kept disks. */
function recordingPlatform(): Platform {
  const platform = nodePlatform(PUBLIC);
  return {
    ...platform,
    startWorker(start, transfer, onFailure) {
      if (start.role !== 'machine') return platform.startWorker(start, transfer, onFailure);
      const worker = new Worker(bundle(new URL('./recording-machine.ts', import.meta.url)), {
        eval: true,
      });
      worker.on('error', onFailure);
      worker.on('message', (problem) => onFailure(new Error(JSON.stringify(problem))));
      worker.postMessage(start, transfer as never);
      return {
        setReferenced: () => {},
        async terminate() {
          await worker.terminate();
        },
      };
    },
  };
}

/** Boots a machine with busybox and a kept disk. */
export async function startKeptMachine(
  disk: string,
  sizeBytes: number,
  onDiskProblem?: (problem: string | undefined) => void,
): Promise<Machine> {
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  const machine = await boot(
    [{ kind: 'kept', store, disk, sizeBytes }],
    { onDiskProblem },
    recordingPlatform(),
  );
  await machine.openImage(image.layers);
  return machine;
}

/** Runs a script in a container on the kept disk. */
export function runOnKeptDisk(machine: Machine, script: string): FirstProcess {
  return machine.runContainer({
    ...{ args: ['sh', '-c', script], env: ['PATH=/bin'], directory: '/', user: '', name: 'kept' },
    ...{ hostname: 'kept', volumes: [], devices: [], tmpfs: [], kept: true },
    disks: { image: diskSerial(0), scratch: diskSerial(1) },
  });
}
