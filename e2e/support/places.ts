import { join } from 'node:path';
import { inProject } from '../../scripts/setup/places.mjs';

export const PUBLIC = inProject('public');
/** The files of a release. */
export const RELEASE = inProject('dist/release');
/** The files of previews' origins. */
export const PREVIEWS = join(RELEASE, 'previews');
export const SITE = join(RELEASE, 'site');
