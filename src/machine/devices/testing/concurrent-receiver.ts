import { parentPort, workerData } from 'node:worker_threads';
import { H_WAKE, HARTS, V_NOTIFY, VIRTIO } from '../../../../emulator-wasm/layout.ts';
import {
  type Completion,
  DriverQueue,
  equalBytes,
  type Placed,
  pattern,
  TestMachine,
} from './guest-driver.ts';

/** The machine that the other thread has set up: slot 0 is a network card, whose rings come first in RAM. */
export interface ConcurrentReceiverData {
  buffer: SharedArrayBuffer;
  ramSize: number;
  queueSize: number;
  frames: number;
  /** The length of frame `index`, whose bytes are `pattern(length, index)`. */
  lengths: readonly number[];
}

const PATIENCE_MS = 20_000;
const WAKE = (HARTS + H_WAKE) >>> 2;
const HEADER = 12;
const BUFFER = 1536;

/**
 * A driver of a network card in a separate thread. When it sees the first buffer of a frame, all of them must
 * be there.
 */
function receive({ buffer, ramSize, queueSize, frames, lengths }: ConcurrentReceiverData): string {
  const machine = new TestMachine(ramSize, buffer);
  const queue = new DriverQueue(machine, queueSize, true);
  // The rings of the other queue come next.
  new DriverQueue(machine, queueSize, true);
  const pool = Array.from(
    { length: queueSize },
    (): Placed => ({ address: machine.allocate(BUFFER), length: BUFFER, write: true }),
  );
  const arrived: Completion[] = [];
  for (let frame = 0; frame < frames; ) {
    const wakes = Atomics.load(machine.words, WAKE);
    for (let place = pool.pop(); place; place = pool.pop()) queue.add([place]);
    if (queue.needsKick()) Atomics.or(machine.words, (VIRTIO + V_NOTIFY) >>> 2, 1);
    arrived.push(...queue.completions());
    if (arrived.length === 0) {
      if (Atomics.wait(machine.words, WAKE, wakes, PATIENCE_MS) === 'timed-out') return `no frame ${frame}`;
      continue;
    }
    const parts: Uint8Array[] = [];
    for (let buffers = 1; parts.length < buffers; ) {
      const part = arrived.shift();
      if (!part) return `${parts.length} of ${buffers} buffers of frame ${frame}`;
      const bytes = queue.received(part);
      if (parts.length === 0) buffers = new DataView(bytes.buffer).getUint16(10, true);
      parts.push(bytes);
      pool.push(...part.request.writable);
    }
    const length = lengths[frame % lengths.length] as number;
    if (!equalBytes(Buffer.concat(parts).subarray(HEADER), pattern(length, frame % lengths.length)))
      return `frame ${frame} has other bytes`;
    frame++;
  }
  return 'done';
}

parentPort?.postMessage(receive(workerData));
