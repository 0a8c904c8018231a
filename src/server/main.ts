/** `npm start`: serves the page that was built in this clone (scripts/setup/site.mjs). */
import { join } from 'node:path';
import { serve } from './serve.ts';

const PROJECT = join(import.meta.dirname, '../..');

await serve(
  ['dist/site', 'dist/app', 'public'].map((folder) => join(PROJECT, folder)),
  'npm start',
);
