/** `node server.mjs`: serves the folder `site` beside it. Needs nothing but Node. */
import { join } from 'node:path';
import { serve } from './serve.ts';

await serve([join(import.meta.dirname, 'site')]);
