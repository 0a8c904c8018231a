import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as esbuild from 'esbuild';

/** See `translatorVersion`. A program that no bundler has made shares no compiled code with others. */
declare const TRANSLATOR: string;
const translator = typeof TRANSLATOR === 'string' ? TRANSLATOR : String(performance.timeOrigin);

const bundles = new Map<string, string>();

/**
 * A TypeScript module and its imports as one CommonJS script, because Node's workers take only JavaScript.
 * This is for tests and for runs from the sources; installed programs are bundled in advance.
 */
export function bundle(module: URL): string {
  let script = bundles.get(module.href);
  if (script === undefined) {
    const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof esbuild;
    const { outputFiles } = buildSync({
      entryPoints: [fileURLToPath(module)],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'cjs',
      define: { TRANSLATOR: JSON.stringify(translator) },
    });
    script = outputFiles[0]?.text ?? '';
    bundles.set(module.href, script);
  }
  return script;
}
