import { page } from '../scripts/setup/page.mjs';
import { production } from '../scripts/setup/production.mjs';
import { ensure } from '../scripts/setup/step.mjs';

/** Builds the page from the sources as they are, before any test, and what production serves. */
export default async function buildPage(): Promise<void> {
  for (const step of [page, production]) await ensure(step);
}
