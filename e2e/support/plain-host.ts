import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { RunningServer } from '../../src/server/server.ts';
import { FOLDER } from './static-host.ts';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** A file server that sends types and no other headers. @param site served below FOLDER */
export async function startPlainHost(site: string): Promise<Pick<RunningServer, 'url' | 'close'>> {
  const server = createServer(async ({ url = '' }, response) => {
    const path = new URL(url, 'http://localhost').pathname.replace(/\/$/, '/index.html');
    const file = await readFile(join(site, path.replace(FOLDER, '/'))).catch(() => undefined);
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(file ? 200 : 404, { 'Content-Type': type }).end(file);
  }).listen(0, 'localhost');
  await once(server, 'listening');
  const close = async () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://site.localhost:${(server.address() as AddressInfo).port}${FOLDER}`, close };
}
