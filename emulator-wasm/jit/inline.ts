/** Translation in the hart's own thread as soon as code is reported, for tests and measurements. */
import { type CompiledCode, Installer, type Limits } from './install.ts';
import { Translator } from './translator.ts';

/** Makes the function `host.hot` for a hart. @param core its instance's exports */
export function inlineTranslation(
  core: WebAssembly.Exports,
  memory: WebAssembly.Memory,
  hart: number,
  limits?: Limits,
): () => void {
  const translator = new Translator(memory, core.decodePage as (hart: number) => bigint, [hart]);
  let installer: Installer | undefined;
  return () => {
    const translation = translator.translate();
    if (!translation) return;
    installer ??= new Installer(core as unknown as CompiledCode, memory, hart, limits);
    const { module, regions } = translation;
    installer.install(new WebAssembly.Module(module), module.length, regions);
  };
}
