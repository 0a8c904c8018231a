/** `npm start`: serves the page that was built in this clone (scripts/setup/site.mjs). */
import { join } from 'node:path';
import { serve } from './serve.ts';

const inProject = (path: string) => join(import.meta.dirname, '../..', path);

await serve(['dist/site', 'dist/app', 'public'].map(inProject), 'npm start', {
  previewRoot: inProject('dist/previews'),
  archiveRoot: inProject('dist/release'),
});
