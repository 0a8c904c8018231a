import { inProject } from '../../scripts/setup/places.mjs';

export const PUBLIC = inProject('public');
/** What `npm run build` makes for production. */
export const PRODUCTION = inProject('dist/production');
export const SITE = inProject('dist/production/site');
