import { page } from '../scripts/setup/page.mjs';
import { ensure } from '../scripts/setup/step.mjs';

/** Builds the page from the sources as they are, before any test. */
export default function buildPage(): Promise<void> {
  return ensure(page);
}
