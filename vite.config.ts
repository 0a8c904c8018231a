import { defineConfig, type Rolldown } from 'vite';
import { translatorDefines } from './scripts/setup/translator.mjs';
import { registryProxyInDevelopment } from './src/server/dev-server.ts';
import { ISOLATION_HEADERS } from './src/server/headers.ts';
import { staticHost } from './src/server/static-host.ts';

const PAGE = 'src/app/main.tsx';
const DOCS = 'src/docs/main.ts';
/** What other pages, and frames in them, load later. */
const ELEMENT = ['src/element/element.ts', 'src/api/browser.ts', 'src/app/embedded.ts'];

type Graph = Parameters<Rolldown.CodeSplittingNameFunction>[1];

/** Whether an entry imports a module, itself or through others. */
function needs(entry: string, module: string, graph: Graph, seen = new Set<string>()): boolean {
  if (module.endsWith(entry)) return true;
  if (seen.has(module)) return false;
  seen.add(module);
  const importers = graph.getModuleInfo(module)?.importers ?? [];
  return importers.some((importer) => needs(entry, importer, graph, seen));
}

/**
 * Names the chunk of a module that the page needs at first, because each file is a request. The page's entry
 * waits for some of its parts, so none of their chunks may hold it.
 */
function initialChunk(module: string, graph: Graph): string | null {
  const serves = (entry: string) => needs(entry, module, graph);
  if (module.endsWith(PAGE) || !serves(PAGE)) return null;
  if (serves(DOCS)) return 'common';
  return ELEMENT.some(serves) ? 'shared' : 'initial';
}

export default defineConfig({
  plugins: [staticHost(), registryProxyInDevelopment()],
  // So that the built page works in any folder of any host.
  base: './',
  build: {
    outDir: 'dist/app',
    emptyOutDir: true,
    target: 'es2022',
    // The server serves public/ itself: the emulator and the kernels are built apart from the page.
    copyPublicDir: false,
    rolldownOptions: {
      input: ['index.html', DOCS],
      output: { codeSplitting: { groups: [{ name: initialChunk, tags: ['$initial'] }] } },
    },
    // The pages of the documentation find their script in it.
    manifest: true,
  },
  worker: {
    format: 'es',
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'initial', tags: ['$initial'] }] } } },
  },
  // The parser of Docker's flags was written for Node.
  define: { global: 'globalThis', ...translatorDefines() },
  // Vite finds it only when a worker imports it, and would then reload the page.
  optimizeDeps: { include: ['xz-decompress'] },
  server: { headers: ISOLATION_HEADERS },
});
