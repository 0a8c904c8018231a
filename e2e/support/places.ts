import { inProject } from '../../scripts/setup/places.mjs';

export const PUBLIC = inProject('public');
/** The output of `npm run build`. */
export const PRODUCTION = inProject('dist/production');
/** The files of previews' origins. */
export const PREVIEWS = inProject('dist/production/previews');
export const SITE = inProject('dist/production/site');
