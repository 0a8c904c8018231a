/** The plugin of Vite for apps that use LinuxRun. */
import { readdir, readFile } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin, PreviewServer, ViteDevServer } from 'vite';
import { ISOLATION_HEADERS } from '../server/headers.ts';

const PACKAGE = 'linuxrun';
/** The modules of the package that look for its assets beside themselves, by this expression. */
const MODULE = /\/linuxrun\/dist\/browser\/[^/]+\.js(\?|$)/;
const ASSETS_URL = /new URL\(\s*(?:\/\*.*?\*\/\s*)?["']\.\.\/\.\.\/assets\/["'],\s*import\.meta\.url\s*\)/g;
const ASSETS = fileURLToPath(new URL('../../public/', import.meta.url));
/** The folder of the assets in the server for development, which takes files without endings for scripts. */
const DEVELOPMENT_FOLDER = '@linuxrun/';
const EMULATOR = 'emulator.wasm';
const TYPES: Readonly<Record<string, string>> = { [EMULATOR]: 'application/wasm' };

/**
 * - isolates the pages of Vite's servers, because only isolated pages may share memory between threads
 * - serves the machine's files, and emits them with a build
 * - lets Vite's servers pull images from registries, and connect containers to the internet
 */
export function linuxrun(): Plugin {
  let isBuild = false;
  let base = '';
  let folder = '';
  let emulator = '';
  return {
    name: PACKAGE,
    config: ({ server, preview }) => ({
      server: { headers: { ...ISOLATION_HEADERS, ...server?.headers } },
      preview: { headers: { ...ISOLATION_HEADERS, ...preview?.headers } },
      // The workers load code on demand.
      worker: { format: 'es' },
      // Workers are found beside the package's own modules.
      optimizeDeps: { exclude: [PACKAGE] },
    }),
    configResolved(config) {
      isBuild = config.command === 'build';
      base = config.base;
      folder = posix.join(config.build.assetsDir, PACKAGE);
    },
    async configureServer(server) {
      server.middlewares.use(await assetsBelow(base + DEVELOPMENT_FOLDER));
      await serveOurs(server);
    },
    configurePreviewServer: serveOurs,
    async buildStart() {
      if (!isBuild) return;
      for (const name of await assetNames()) {
        const source = await readFile(join(ASSETS, name));
        const id = this.emitFile({ type: 'asset', fileName: posix.join(folder, name), source });
        if (name === EMULATOR) emulator = id;
      }
    },
    transform(code, id) {
      if (!MODULE.test(id)) return undefined;
      // Bundlers write the URL of the file whole, or relative to the page's origin.
      const file = `new URL(import.meta.ROLLUP_FILE_URL_${emulator}, import.meta.url)`;
      const url = isBuild
        ? `new URL('.', ${file})`
        : `new URL(/* @vite-ignore */ '${base}${DEVELOPMENT_FOLDER}', import.meta.url)`;
      return code.replace(ASSETS_URL, url);
    },
  };
}

export default linuxrun;

/** The server's code is loaded only here, because builds do not need it. */
async function serveOurs(server: ViteDevServer | PreviewServer): Promise<void> {
  const { serveOurPaths } = await import('../server/dev-server.ts');
  await serveOurPaths(server);
}

/** The paths of the machine's files in the package, with slashes. */
async function assetNames(): Promise<string[]> {
  const entries = await readdir(ASSETS, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) =>
    join(parentPath, name).slice(ASSETS.length).replaceAll(sep, '/'),
  );
}

/** Answers requests for the machine's files, and for no others. @param folder the beginning of their paths */
async function assetsBelow(folder: string): Promise<Connect.NextHandleFunction> {
  const names = new Set(await assetNames());
  return async ({ url = '' }, response, next) => {
    const { pathname } = new URL(url, 'http://localhost');
    const name = pathname.slice(folder.length);
    if (!pathname.startsWith(folder) || !names.has(name)) return next();
    const type = TYPES[name] ?? 'application/octet-stream';
    response.writeHead(200, { ...ISOLATION_HEADERS, 'Content-Type': type, 'Cache-Control': 'no-cache' });
    response.end(await readFile(join(ASSETS, name)));
  };
}
