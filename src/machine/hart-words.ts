import {
  H_INSTRET,
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_HOT,
  M_POWER,
  POWER_RUNNING,
} from '../../emulator-wasm/layout.ts';

/** Address of a word of a hart's block. */
export function hartWord(hart: number, word: number): number {
  return HARTS + hart * HART_STRIDE + word;
}

export function instructionsRetired(memory: WebAssembly.Memory, hart: number): number {
  return Number(new BigUint64Array(memory.buffer, hartWord(hart, H_INSTRET), 1)[0]);
}

export function wakeHarts(words: Int32Array, harts: number): void {
  for (let hart = 0; hart < harts; hart++) {
    const wake = hartWord(hart, H_WAKE) >>> 2;
    Atomics.add(words, wake, 1);
    Atomics.notify(words, wake);
  }
}

export function isRunning(words: Int32Array): boolean {
  return Atomics.load(words, M_POWER >>> 2) === POWER_RUNNING;
}

/** Makes all harts leave `run`. Has no effect when the guest has already ended the machine. */
export function powerDown(words: Int32Array, harts: number, power: number): void {
  Atomics.compareExchange(words, M_POWER >>> 2, POWER_RUNNING, power);
  wakeHarts(words, harts);
}

/** Has the translator look for reports and profiles. */
export function wakeTranslator(words: Int32Array): void {
  Atomics.add(words, M_HOT >>> 2, 1);
  Atomics.notify(words, M_HOT >>> 2);
}
