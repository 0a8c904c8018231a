import { decoder } from '../../emulator-wasm/jit/decoder.ts';
import { Rehearsal } from '../../emulator-wasm/jit/rehearsal.ts';
import { SharedLog } from '../../emulator-wasm/jit/shared-log.ts';
import { type Translation, Translator } from '../../emulator-wasm/jit/translator.ts';
import { H_REQUEST, M_HOT, M_TRANSLATIONS, REQUEST_RETURN } from '../../emulator-wasm/layout.ts';
import { hartWord, isRunning, wakeHarts } from './hart-words.ts';
import type { TranslatorStart } from './protocol.ts';

/** In ms. */
const PATIENCE = 10;

/** Compiles modules of stored code. */
export interface StoredCompiler {
  /** @throws CompileError if the module is not valid */
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module>;
  /** Whether the engine needs tasks of the thread afterwards, so that it must not block. */
  readonly needsTasks: boolean;
}

const PLAIN: StoredCompiler = {
  compile: async (bytes) => new WebAssembly.Module(bytes),
  needsTasks: false,
};

/** Compiles what harts report as hot, until the thread is ended. */
export async function runTranslator(
  { memory, emulator, harts, code }: TranslatorStart,
  storedCompiler = PLAIN,
): Promise<never> {
  const words = new Int32Array(memory.buffer);
  const numbers = harts.map((_, hart) => hart);
  const logs = code && { stored: new SharedLog(code.stored), made: new SharedLog(code.made) };
  const translator = new Translator(memory, decoder(emulator, memory), numbers, logs);
  const rehearsal = new Rehearsal();
  const wait = storedCompiler.needsTasks ? waitInTasks : waitBlocking;
  for (;;) {
    const reports = Atomics.load(words, M_HOT >>> 2);
    const translation = (await storedTranslation(translator, storedCompiler)) ?? translator.translate();
    if (!translation) {
      const isBusy = rehearsal.proceed();
      // Some versions of Safari never end a worker that waits for ever.
      const canWait = !isBusy && isRunning(words);
      await wait(words, reports, canWait ? Number.POSITIVE_INFINITY : PATIENCE);
      await gather(words, wait);
      continue;
    }
    for (const port of harts) port.postMessage(translation);
    Atomics.add(words, M_TRANSLATIONS >>> 2, 1);
    for (const hart of numbers) Atomics.or(words, hartWord(hart, H_REQUEST) >>> 2, REQUEST_RETURN);
    wakeHarts(words, harts.length);
    rehearsal.add(translation);
  }
}

/** Returns the next module of stored regions that is valid; undefined if there is none. */
async function storedTranslation(
  translator: Translator,
  { compile }: StoredCompiler,
): Promise<Translation | undefined> {
  for (let stored = translator.nextStored(); stored; stored = translator.nextStored()) {
    const module = await compile(stored.bytes).catch(ignoreInvalid);
    if (module) return stored.finish(module);
  }
  return undefined;
}

function ignoreInvalid(error: unknown): undefined {
  if (!(error instanceof WebAssembly.CompileError)) throw error;
}

/** Waits while the count of reports is the same. @param patience in ms */
type Wait = (words: Int32Array, reports: number, patience: number) => string | Promise<string>;

const waitBlocking: Wait = (words, reports, patience) => Atomics.wait(words, M_HOT >>> 2, reports, patience);

const waitInTasks: Wait = (words, reports, patience) =>
  Atomics.waitAsync(words, M_HOT >>> 2, reports, patience).value;

/** Waits for more reports, because a module costs more than the code in it. */
async function gather(words: Int32Array, wait: Wait): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (let left = PATIENCE; left > 0; left = end - performance.now())
    await wait(words, Atomics.load(words, M_HOT >>> 2), left);
}
