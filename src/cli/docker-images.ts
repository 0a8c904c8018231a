/** `linuxrun pull`, `images` and `rmi`. */

// The host of the store.
import '../api/node.ts';
import { listImages, removeImages } from '../api/docker-images.ts';
import type { ImagesWords, PullWords, RmiWords } from '../docker/words.ts';
import { showLoadingImage } from './image.ts';
import { imageStore } from './places.ts';
import { PUBLIC, report, write } from './program.ts';
import { readOptions } from './run-options.mjs';

export async function dockerPull({ image, quiet, platform }: PullWords): Promise<number> {
  const { credentials, mirror, platform: usual } = readOptions(process.env, PUBLIC);
  const pulled = await showLoadingImage({
    reference: image,
    platform: platform ?? usual,
    store: imageStore(process.env),
    assets: PUBLIC,
    credentials,
    mirror,
    policy: 'always',
    showsProgress: !quiet,
    signal: new AbortController().signal,
  });
  await pulled.release();
  await write(process.stdout, `${pulled.reference}\n`);
  return 0;
}

export async function dockerImages(words: ImagesWords): Promise<number> {
  await write(process.stdout, await listImages(words));
  return 0;
}

export async function dockerRmi(words: RmiWords): Promise<number> {
  return report(await removeImages(words));
}
