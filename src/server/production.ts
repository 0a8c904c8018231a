/** `node server.mjs`: serves `site`, `previews` and the archive of the sources beside this file. */
import '../../scripts/node-version.mjs';
import { join } from 'node:path';
import { serve } from './serve.ts';

const inFolder = (name: string) => join(import.meta.dirname, name);

await serve([inFolder('site')], 'node server.mjs', {
  previewRoot: inFolder('previews'),
  archiveRoot: import.meta.dirname,
});
