/** Runs bare-metal programs on harts in worker threads, one thread per hart, as the real machine does. */
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { bundle } from '../../../src/machine/platform/bundle.ts';
import {
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_POWER,
  MODE_FIRMWARE,
  POWER_OFF,
  POWER_RUNNING,
} from '../../layout.ts';
import { coreModule, JIT_MODE, MachineMemory, PRIV_M, PRIV_S } from './core.ts';
import { type Elf, readElf } from './elf.ts';

const RAM_SIZE = 64 << 20;
/** A busy host may delay a worker. */
const STOP_MILLISECONDS = 10_000;

export interface Options {
  readonly harts?: number;
  /** MODE_* bits. With MODE_FIRMWARE hart 0 starts in S-mode, and the others wait. */
  readonly mode?: number;
  readonly milliseconds?: number;
}

export interface Result {
  /** The program's output. */
  readonly output: string;
  /** POWER_*; POWER_RUNNING if the program was still running when its time was up. */
  readonly power: number;
  readonly exitCode: number;
  readonly machine: MachineMemory;
}

/**
 * Runs an ELF (or an ELF file) from its entry until it ends itself or its time is up. Rejects if a hart
 * crashes, or continues without power.
 */
export async function runOnMachine(program: string | Elf, options: Options = {}): Promise<Result> {
  const { harts = 1, mode = 0, milliseconds = 60_000 } = options;
  const module = await coreModule();
  const elf = typeof program === 'string' ? readElf(await readFile(program)) : program;
  const machine = new MachineMemory(harts, RAM_SIZE, mode | JIT_MODE);
  machine.loadElf(elf);
  const output: Uint8Array[] = [];
  const pieces = new Int32Array(new SharedArrayBuffer(4));
  const start = performance.timeOrigin + performance.now();
  const workers = Array.from({ length: harts }, (_, hart) => {
    const privilege = mode & MODE_FIRMWARE ? PRIV_S : PRIV_M;
    const pc = BigInt(elf.entry);
    return new Worker(bundle(new URL('./hart.mjs', import.meta.url)), {
      eval: true,
      execArgv: [],
      workerData: { module, memory: machine.memory, hart, pc, privilege, a1: 0n, start, pieces },
    });
  });
  let late = false;
  const timers: NodeJS.Timeout[] = [];
  try {
    // All harts are reset before any runs, because a hart may read another's block.
    await Promise.all(workers.map(ready));
    const ends = workers.map((worker) => {
      worker.on('message', ({ place, bytes }: { place: number; bytes: Uint8Array }) => {
        output[place] = bytes;
      });
      return new Promise<void>((resolve, reject) => {
        worker.on('error', (error) => {
          powerOff(machine, harts);
          reject(error);
        });
        worker.on('exit', () => resolve());
      });
    });
    for (const worker of workers) worker.postMessage('run');
    const stuck = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error('a hart does not stop when the power is off'));
      const switchOff = () => {
        late = true;
        powerOff(machine, harts);
        timers.push(setTimeout(giveUp, STOP_MILLISECONDS));
      };
      timers.push(setTimeout(switchOff, milliseconds));
    });
    await Promise.race([Promise.all(ends), stuck]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const text = Buffer.concat(output.filter(Boolean)).toString();
  return { output: text, power: late ? POWER_RUNNING : machine.power, exitCode: machine.exitCode, machine };
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}

function powerOff(machine: MachineMemory, harts: number): void {
  const words = new Int32Array(machine.memory.buffer);
  Atomics.compareExchange(words, M_POWER / 4, POWER_RUNNING, POWER_OFF);
  for (let hart = 0; hart < harts; hart++) {
    const wake = (HARTS + hart * HART_STRIDE + H_WAKE) / 4;
    Atomics.add(words, wake, 1);
    Atomics.notify(words, wake);
  }
}
