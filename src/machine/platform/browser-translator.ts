import { compileKept, keepsModules } from '../../code-cache/kept-modules.ts';
import type { TranslatorStart } from '../protocol.ts';
import { runTranslator } from '../translator-worker.ts';
import { becomePart } from './browser-worker.ts';

/** @param start.modules the folder of kept modules */
function run({ modules, ...start }: TranslatorStart & { readonly modules: string }): Promise<never> {
  // Keeping them takes tasks of a thread that waits, for which older browsers lack `Atomics.waitAsync`.
  if (!keepsModules() || !('waitAsync' in Atomics)) return runTranslator(start);
  return runTranslator(start, { compile: (bytes) => compileKept(modules, bytes), needsTasks: true });
}

becomePart(run);
