import { M_DOORBELL, M_POWER, POWER_RUNNING } from '../../emulator-wasm/layout.ts';
import { machineClock } from './clock.ts';
import { OutputRing } from './output-ring.ts';
import type { FromHart, HartStart, ToHart } from './protocol.ts';
import { Tracer } from './trace.ts';

/** The exports of emulator.wasm. */
export interface Core {
  reset(hart: number, pc: bigint, privilege: number, argument: bigint): void;
  run(hart: number, instructions: bigint): number;
}

const FOREVER = 2n ** 62n;
/** Instructions between two reports of a traced hart. */
const TRACE_BATCH = 1000;
/** How often a hart that waits for the devices looks whether the machine is still on, in ms. */
const PATIENCE = 100;

/** One hart: runs guest code, synchronously, until the machine stops. */
export function runHart(start: HartStart): void {
  const { hart, memory, port } = start;
  const post = (message: FromHart) => port.postMessage(message);
  const core = instantiate(start, post);
  const tracer = start.trace ? new Tracer(core, memory, hart, (text) => post({ type: 'trace', text })) : null;
  let seconds = 0;

  const run = () => {
    const begin = performance.now();
    const power = tracer ? tracer.run(TRACE_BATCH) : core.run(hart, FOREVER);
    seconds += (performance.now() - begin) / 1000;
    post(power === POWER_RUNNING ? { type: 'paused' } : { type: 'halted', power, seconds });
  };

  port.onmessage = ({ data }: MessageEvent<ToHart>) => {
    if (data.type === 'run') return run();
    core.reset(hart, data.pc, data.privilege, data.argument);
    post({ type: 'ready' });
  };
}

function instantiate(start: HartStart, post: (message: FromHart) => void): Core {
  const { memory, epoch, deterministic } = start;
  const words = new Int32Array(memory.buffer);
  const ring = new OutputRing(start.output);
  const stopped = () => Atomics.load(words, M_POWER >>> 2) !== POWER_RUNNING;
  const wakeMachine = () => {
    // Without waitAsync the machine worker cannot watch the word.
    if ('waitAsync' in Atomics) Atomics.notify(words, M_DOORBELL >>> 2);
    else post({ type: 'doorbell' });
  };
  const served = new Int32Array(start.served);
  const awaitService = (rung: number) => {
    for (let seen = Atomics.load(served, 0); ((seen - rung) | 0) < 0; seen = Atomics.load(served, 0)) {
      if (stopped()) return;
      Atomics.wait(served, 0, seen, PATIENCE);
    }
  };
  const host = {
    now: machineClock(epoch, new Int32Array(start.latestTime)),
    wallClock: () => Date.now() * 1e6,
    doorbell: () => {
      wakeMachine();
      if (deterministic) awaitService(Atomics.load(words, M_DOORBELL >>> 2));
    },
    output: (address: number, length: number) => {
      const wake = () => {
        Atomics.add(words, M_DOORBELL >>> 2, 1);
        wakeMachine();
      };
      ring.write(new Uint8Array(memory.buffer, address >>> 0, length), wake, stopped);
    },
  };
  const instance = new WebAssembly.Instance(start.emulator, { env: { memory }, host });
  return instance.exports as unknown as Core;
}
