import { H_MIE, H_RUN, RUN_SLEEPING } from '../../emulator-wasm/layout.ts';
import { MachineError } from './errors.ts';
import { hartWord, instructionsRetired } from './hart-words.ts';
import { INIT_STARTED } from './protocol.ts';

const BOOT_HART = 0;
/** The boot hart counts as hung after MAX_STALLS intervals, in ms, without progress. */
const STALL_INTERVAL = 1000;
const MAX_STALLS = 3;
/** An interval of more than this, in ms, does not count: the host is too busy to run all threads. */
const LATE = 1200;

/** Waits for PID 1's first line on the console, and detects a kernel that makes no progress before. */
export class BootWatch {
  readonly #memory: WebAssembly.Memory;
  readonly #onBooted: () => void;
  /** The end of the console's output, until `INIT_STARTED` has been seen. */
  #log: string | undefined = '';
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(memory: WebAssembly.Memory, onBooted: () => void) {
    this.#memory = memory;
    this.#onBooted = onBooted;
  }

  see(output: Uint8Array): void {
    if (this.#log === undefined) return;
    const log = this.#log + new TextDecoder('latin1').decode(output);
    this.#log = log.slice(-INIT_STARTED.length);
    if (!log.includes(INIT_STARTED)) return;
    this.stop();
    this.#onBooted();
  }

  /**
   * A damaged kernel may trap in its own trap handler forever, or sleep with all interrupts off.
   * @param isBlocked whether the boot hart may be waiting for the owner to take its output
   */
  start(isBlocked: () => boolean): void {
    const words = new Int32Array(this.#memory.buffer);
    let last = -1;
    let stalls = 0;
    let begin = performance.now();
    this.#timer = setInterval(() => {
      const isLate = performance.now() - begin > LATE;
      begin = performance.now();
      const now = instructionsRetired(this.#memory, BOOT_HART);
      const asleep = Atomics.load(words, hartWord(BOOT_HART, H_RUN) >>> 2) === RUN_SLEEPING;
      const wakeable = Atomics.load(words, hartWord(BOOT_HART, H_MIE) >>> 2) !== 0;
      const stalled = now === last && !isBlocked() && !(asleep && wakeable);
      stalls = stalled && !isLate ? stalls + 1 : 0;
      last = now;
      if (stalls === MAX_STALLS)
        throw new MachineError('the kernel hangs before it starts PID 1: it may be damaged');
    }, STALL_INTERVAL);
  }

  /** The kernel is up, or the machine is off. */
  stop(): void {
    this.#log = undefined;
    clearInterval(this.#timer);
  }
}
