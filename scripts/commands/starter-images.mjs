/**
 * `node scripts/starter-images.mjs [TAG…]` makes the images of the tests of starters that are not among the
 * shared ones. It takes a few minutes and 150 MB of downloads, so neither set-up nor tests do it.
 */
import { makeImages } from '../setup/debian-image.mjs';
import { runMain } from '../setup/failure.mjs';
import { STARTER_IMAGES } from '../setup/places.mjs';

const GO = '1.24';

const IMAGES = {
  node: { packages: ['nodejs'] },
  go: { packages: [`golang-${GO}-go`, `golang-${GO}-src`], path: [`/usr/lib/go-${GO}/bin`] },
};

await runMain(() => makeImages(STARTER_IMAGES, IMAGES));
