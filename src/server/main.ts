/** `npm start`: serves the page that was built in this clone. */
import { join } from 'node:path';
import { serve } from './serve.ts';

const PROJECT = join(import.meta.dirname, '../..');

await serve([join(PROJECT, 'dist/app'), join(PROJECT, 'public')]);
