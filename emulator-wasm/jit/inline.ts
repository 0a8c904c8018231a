/** Translation in the hart's own thread as soon as code is reported, for tests and measurements. */

import type { Decoder } from './decoder.ts';
import { type CompiledCode, Installer, type Limits } from './install.ts';
import { type ProfileLogs, Translator } from './translator.ts';

/** Makes the function `host.hot` for a hart. @param core its instance's exports */
export function inlineTranslation(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  hart: number,
  limits?: Limits,
  profiles?: ProfileLogs,
): () => void {
  const translator = new Translator(memory, core as unknown as Decoder, [hart], profiles);
  let installer: Installer | undefined;
  return () => {
    const translation = translator.translate();
    if (!translation) return;
    installer ??= new Installer(core as unknown as CompiledCode, memory, hart, limits);
    const { module, regions } = translation;
    installer.install(new WebAssembly.Module(module), module.length, regions);
  };
}
