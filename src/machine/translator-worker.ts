import { decoder } from '../../emulator-wasm/jit/decoder.ts';
import { Rehearsal } from '../../emulator-wasm/jit/rehearsal.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import { Translator } from '../../emulator-wasm/jit/translator.ts';
import { H_REQUEST, M_HOT, M_TRANSLATIONS, REQUEST_RETURN } from '../../emulator-wasm/layout.ts';
import { hartWord, isRunning, wakeHarts } from './hart-words.ts';
import type { TranslatorStart } from './protocol.ts';

/** In ms. */
const PATIENCE = 10;

/** Compiles what harts report as hot, until the thread is ended. */
export function runTranslator({ memory, emulator, harts, code }: TranslatorStart): void {
  const words = new Int32Array(memory.buffer);
  const numbers = harts.map((_, hart) => hart);
  const logs = code && { stored: new SharedLog(code.stored), made: new SharedLog(code.made) };
  const translator = new Translator(memory, decoder(emulator, memory), numbers, logs);
  const rehearsal = new Rehearsal();
  for (;;) {
    const reports = Atomics.load(words, M_HOT >>> 2);
    const translation = translator.translate();
    if (!translation) {
      const isBusy = rehearsal.proceed();
      // Some versions of Safari never end a worker that waits for ever.
      const canWait = !isBusy && isRunning(words);
      Atomics.wait(words, M_HOT >>> 2, reports, canWait ? Number.POSITIVE_INFINITY : PATIENCE);
      gather(words);
      continue;
    }
    for (const port of harts) port.postMessage(translation);
    Atomics.add(words, M_TRANSLATIONS >>> 2, 1);
    for (const hart of numbers) Atomics.or(words, hartWord(hart, H_REQUEST) >>> 2, REQUEST_RETURN);
    wakeHarts(words, harts.length);
    rehearsal.add(translation);
  }
}

/** Waits for more reports, because a module costs more than the code in it. */
function gather(words: Int32Array): void {
  const end = performance.now() + PATIENCE;
  for (let left = PATIENCE; left > 0; left = end - performance.now()) {
    Atomics.wait(words, M_HOT >>> 2, Atomics.load(words, M_HOT >>> 2), left);
  }
}
