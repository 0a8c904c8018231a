/**
 * Runs a bare-metal ELF on one hart of the core, in the calling thread. The only devices are those inside the
 * core. Works in Node and in a browser's worker.
 */
import { inlineTranslation } from '../emulator-wasm/jit/inline.ts';
import { MODE_JIT, POWER_OFF, RAM_START, TIMEBASE } from '../emulator-wasm/layout.ts';
import { loadElf, parseElf } from '../src/machine/elf.ts';
import { createMemory, guestRam, planMemory } from '../src/machine/memory.ts';

const RAM_SIZE = 64 << 20;
const PRIV_MACHINE = 3;
const FOREVER = 0x7fff_ffff_ffff_ffffn;

type Run = (hart: number, instructions: bigint) => number;
type Reset = (hart: number, pc: bigint, priv: number, a1: bigint) => void;

/** Runs `file` until it powers off, and returns its output. @param mode MODE_* */
export function runOnCore(module: WebAssembly.Module, file: Uint8Array, mode = MODE_JIT): string {
  const plan = planMemory(1, RAM_SIZE);
  const memory = createMemory(plan, mode);
  const elf = parseElf(file);
  loadElf(elf, guestRam(memory, plan), RAM_START);

  let output = '';
  const start = performance.now();
  const host = {
    now: () => (performance.now() - start) * (TIMEBASE / 1000),
    wallClock: () => Date.now() * 1e6,
    output: (address: number, length: number) => {
      // A TextDecoder rejects shared memory, so the bytes are copied.
      output += new TextDecoder().decode(new Uint8Array(memory.buffer, address >>> 0, length).slice());
    },
    doorbell: () => {},
    hot: () => translate(),
  };
  const core = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
  const translate = inlineTranslation(core, memory, 0);
  (core.reset as Reset)(0, elf.entry, PRIV_MACHINE, 0n);
  const power = (core.run as Run)(0, FOREVER);
  if (power !== POWER_OFF) throw new Error(`the hart ended with power state ${power}: ${output}`);
  return output;
}
