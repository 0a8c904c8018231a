import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 * Returns a server of a folder's files. It answers `/` with `hey`.
 * @param {string} folder
 */
export function serveFolder(folder) {
  return createServer((request, response) => {
    readFile(join(folder, new URL(`http://_${request.url}`).pathname)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(request.url === '/' ? 200 : 404).end('hey\n'),
    );
  });
}
