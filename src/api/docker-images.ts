/** Docker's commands for the images in the store, for `linuxrun` and for `new Command('docker')`. */

import { NotFoundError } from '../docker/errors.ts';
import type { Row } from '../docker/format.ts';
import * as tables from '../docker/images.ts';
import type { Report } from '../docker/inspect.ts';
import type { ImagesWords, RmiWords } from '../docker/words.ts';
import { ImageError } from '../oci/errors.ts';
import { library } from './host.ts';
import * as images from './images.ts';

/** @throws DockerError if the template is wrong; StorageError */
export async function listImages(words: ImagesWords): Promise<string> {
  return tables.formatImages(await images.list(), words);
}

/** Removes images. One that cannot be removed does not keep the others. */
export async function removeImages({ images: names, force }: RmiWords): Promise<Report> {
  let output = '';
  const problems: string[] = [];
  for (const name of names) {
    try {
      const { reference, platform, digest } = await findImage(name);
      // An ID names the image for one platform.
      await images.remove(reference, canonicalOf(name) === reference ? {} : { platform });
      output += `Untagged: ${reference}\nDeleted: ${digest}\n`;
    } catch (error) {
      if (force && error instanceof NotFoundError) continue;
      problems.push((error as Error).message);
    }
  }
  return { output, problems };
}

/** @throws DockerError if no image matches, or several do; StorageError */
export async function describeImage(name: string): Promise<Row> {
  const { reference, platform } = await findImage(name);
  return tables.describeImage(await images.inspect(reference, { platform, policy: 'never' }));
}

/** Finds a stored image by its name, or by the beginning of its ID. */
export async function findImage(name: string): Promise<images.StoredImage> {
  const stored = await images.list();
  const canonical = canonicalOf(name);
  const named = stored.filter(({ reference }) => reference === canonical);
  return named.find(({ isDefault }) => isDefault) ?? named[0] ?? tables.findImageById(stored, name);
}

function canonicalOf(name: string): string | undefined {
  try {
    return library().nameOf(name);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
