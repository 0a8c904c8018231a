/** `node server.mjs`: serves the folder `site` beside this file, and needs only Node. */
import '../../scripts/node-version.mjs';
import { join } from 'node:path';
import { serve } from './serve.ts';

await serve([join(import.meta.dirname, 'site')], 'node server.mjs');
