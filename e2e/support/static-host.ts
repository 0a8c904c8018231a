import { preview } from 'vite';
import type { RunningServer } from '../../src/server/server.ts';
import { SITE } from './places.ts';

/** Most hosts give each site an origin of its own; some give it only a folder. */
export const FOLDER = '/some/folder/';

/**
 * A static file server that is not ours.
 * @param headers the headers of every answer
 */
export async function startStaticHost(
  headers: Record<string, string>,
): Promise<Pick<RunningServer, 'url' | 'close'>> {
  const server = await preview({
    configFile: false,
    appType: 'mpa',
    base: FOLDER,
    build: { outDir: SITE },
    preview: { port: 0, host: 'localhost', headers },
    logLevel: 'error',
  });
  const [url] = server.resolvedUrls?.local ?? [];
  if (url === undefined) throw new Error('the static host has no address');
  return { url, close: () => server.close() };
}
