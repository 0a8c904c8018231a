import { npmPackage } from '../scripts/setup/package.mjs';
import { page } from '../scripts/setup/page.mjs';
import { previews } from '../scripts/setup/previews.mjs';
import { production } from '../scripts/setup/production.mjs';
import { site } from '../scripts/setup/site.mjs';
import { ensure } from '../scripts/setup/step.mjs';
import { types } from '../scripts/setup/types.mjs';

/** Builds the page, the production site and the npm package from the current sources, before any test. */
export default async function buildPage(): Promise<void> {
  for (const step of [page, previews, types, site, production, npmPackage]) await ensure(step);
}
