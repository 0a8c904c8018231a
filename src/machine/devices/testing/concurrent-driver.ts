import { parentPort, workerData } from 'node:worker_threads';
import { H_WAKE, HARTS, V_NOTIFY, VIRTIO } from '../../../../emulator-wasm/layout.ts';
import { DriverQueue, type Placed, TestMachine } from './guest-driver.ts';

/** The machine that the other thread has set up: slot 0 has one queue, and its rings come first in RAM. */
export interface ConcurrentDriverData {
  buffer: SharedArrayBuffer;
  ramSize: number;
  queueSize: number;
  requests: number;
}

const PATIENCE_MS = 20_000;
const WAKE = (HARTS + H_WAKE) >>> 2;

/** Reads of a shared word. */
const MAX_DELAY = 512;
/** Number of checks for completions before it sleeps. With many, the threads run at the same time. */
const SPINS = 200;

/**
 * A driver in a separate thread that runs at the same time as the device, and sleeps when it has nothing to
 * do. A single missing notification or interrupt leaves it asleep.
 */
function drive({ buffer, ramSize, queueSize, requests }: ConcurrentDriverData): string {
  const machine = new TestMachine(ramSize, buffer);
  const queue = new DriverQueue(machine, queueSize, true);
  const pool = Array.from({ length: queueSize / 2 }, (): [Placed, Placed] => [
    { address: machine.allocate(4), length: 4, write: false },
    { address: machine.allocate(4), length: 4, write: true },
  ]);
  const expected = new Map<number, number>();
  let added = 0;
  let completed = 0;
  let idleTurns = 0;
  while (completed < requests) {
    const wakes = Atomics.load(machine.words, WAKE);
    if (pool.length > 0 && added < requests) {
      const [request, reply] = pool.pop() as [Placed, Placed];
      machine.view.setUint32(machine.hostAddress(request.address), added, true);
      queue.add([request, reply]);
      expected.set(reply.address, added++);
    }
    if (queue.needsKick()) Atomics.or(machine.words, (VIRTIO + V_NOTIFY) >>> 2, 1);
    // Every interleaving of the device's steps and the driver's should occur.
    for (let delay = (added * 7919) % MAX_DELAY; delay > 0; delay--) Atomics.load(machine.words, WAKE);
    const done = queue.completions();
    for (const { request } of done) {
      const reply = request.writable[0] as Placed;
      const value = machine.view.getUint32(machine.hostAddress(reply.address), true);
      if (value !== expected.get(reply.address)) return `reply ${value} to ${expected.get(reply.address)}`;
      pool.push([{ ...reply, address: reply.address - 16, write: false }, reply]);
      completed++;
    }
    idleTurns = done.length === 0 && (pool.length === 0 || added === requests) ? idleTurns + 1 : 0;
    const patience = added % 16 === 0 ? 0 : SPINS;
    if (idleTurns > patience && Atomics.wait(machine.words, WAKE, wakes, PATIENCE_MS) === 'timed-out')
      return `nothing heard of ${added - completed} requests after ${completed}`;
  }
  return 'done';
}

parentPort?.postMessage(drive(workerData));
