import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import type { VirtioDevice } from '../virtio/virtio-device.ts';

/** Polls between two turns of the event loop. */
const POLLS = 20_000;

/**
 * Runs a driver in another thread, at the same time as its device.
 * @param module the name of a module of this folder
 * @param onTurn called in each turn of the event loop
 * @returns the message that the driver ends with
 */
export async function runDriver(
  module: string,
  workerData: unknown,
  device: VirtioDevice,
  onTurn = () => {},
): Promise<unknown> {
  const { outputFiles } = buildSync({
    entryPoints: [new URL(module, import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  const worker = new Worker(outputFiles[0]?.text as string, { eval: true, workerData });
  let outcome: unknown;
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message) => {
      outcome = message;
      resolve();
    });
    worker.on('error', reject);
  });
  const watch = async () => {
    while (outcome === undefined) {
      onTurn();
      for (let i = 0; i < POLLS; i++) device.poll();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all([ended, watch()]);
  return outcome;
}
