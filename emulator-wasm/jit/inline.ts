/** Translation in the hart's own thread as soon as code is reported, for tests and measurements. */

import type { Decoder } from './decoder.ts';
import { type CompiledCode, Installer, type Limits } from './install.ts';
import { type CodeLogs, type Translation, Translator } from './translator.ts';

/** Makes the function `host.hot` for a hart. @param core its instance's exports */
export function inlineTranslation(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  hart: number,
  limits?: Limits,
  logs?: CodeLogs,
): () => void {
  const translator = new Translator(memory, core as unknown as Decoder, [hart], logs);
  let installer: Installer | undefined;
  return () => {
    for (let made = next(translator); made; made = next(translator)) {
      installer ??= new Installer(core as unknown as CompiledCode, memory, hart, limits);
      installer.install(made);
    }
  };
}

function next(translator: Translator): Translation | undefined {
  for (let stored = translator.nextStored(); stored; stored = translator.nextStored())
    if (WebAssembly.validate(stored.bytes)) return stored.finish(new WebAssembly.Module(stored.bytes));
  return translator.translate();
}
