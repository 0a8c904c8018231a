import { join } from 'node:path';
import { build } from 'vite';
import { translatorDefines } from '../../scripts/setup/translator.mjs';
import { startServer } from '../../src/server/server.ts';

const PROJECT = join(import.meta.dirname, '../..');

export type ContainerPage = Awaited<ReturnType<typeof startServer>>;

/**
 * Builds and serves the page of `e2e/container`.
 * @param name of the folder of the build, for each test file
 * @param further a folder with more files to serve
 */
export async function serveContainerPage(
  name = 'e2e-container',
  ...further: string[]
): Promise<ContainerPage> {
  const built = join(PROJECT, 'dist', name);
  await build({
    configFile: false,
    root: join(PROJECT, 'e2e/container'),
    base: './',
    define: translatorDefines(),
    // Its warnings are about parts that are loaded late elsewhere, and at once here.
    logLevel: 'error',
    build: { outDir: built, emptyOutDir: true, target: 'es2022' },
    worker: { format: 'es' },
  });
  return startServer([built, join(PROJECT, 'public'), ...further], 0);
}
