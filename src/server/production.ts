/** `node server.mjs`: serves the folder `site` beside this file, and needs only Node. */
import '../../scripts/node-version.mjs';
import { join } from 'node:path';
import { serve } from './serve.ts';

const inFolder = (name: string) => join(import.meta.dirname, name);

await serve([inFolder('site')], inFolder('previews'), 'node server.mjs');
