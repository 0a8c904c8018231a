import { keepsModules, keptCompiler, keptModules } from '../../code-cache/kept-modules.ts';
import type { TranslatorStart } from '../protocol.ts';
import { runTranslator } from '../translator-worker.ts';
import { becomePart } from './browser-worker.ts';

/** @param start.scope see `keptModules` */
function run({ scope, ...start }: TranslatorStart & { readonly scope: string }): Promise<never> {
  // Chromium stores V8's code in tasks of this thread, so the thread must not block. Older versions block.
  if (!keepsModules(scope) || !('waitAsync' in Atomics)) return runTranslator(start);
  return runTranslator(start, { compile: keptCompiler(keptModules(scope)), needsTasks: true });
}

becomePart(run);
