import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createApp } from '../../src/server/app.ts';
import { previews } from './previews.mjs';

/** A browser without `credentialless`: the file has the same headers for all browsers. */
const SAFARI =
  'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15';
/** Names the host, or belongs to the file alone. */
const OTHERS = ['content-security-policy', 'content-type', 'etag', 'vary', 'accept-ranges', 'content-length'];

it('static hosts get the headers of our server for the files of previews', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-previews-'));
  await previews.run(folder);
  const root = join(folder, 'previews');
  const [pattern, ...lines] = (await readFile(join(root, '_headers'), 'utf8')).trim().split('\n');
  expect(pattern).toBe('/*');
  const app = createApp([], { previewRoot: root });
  const url = 'http://8000-abcdefghijkmnpqr.linuxrun.localhost/__linuxrun/service-worker.js';
  const answer = await app.request(url, { headers: { 'User-Agent': SAFARI } });
  expect(answer.status).toBe(200);
  await answer.body?.cancel();
  const own = [...answer.headers].filter(([name]) => !OTHERS.includes(name));
  const written = lines.map((line) => line.trim().split(/: (.*)/, 2) as [string, string]);
  expect(written.map(([name, value]) => [name.toLowerCase(), value]).sort()).toEqual(own.sort());
  await rm(folder, { recursive: true });
});
