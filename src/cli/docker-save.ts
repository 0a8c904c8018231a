/** `linuxrun save`. */

// The host of the store.
import '../api/node.ts';
import { findImage } from '../api/docker-images.ts';
import { saveImage } from '../api/local-images.ts';
import type { SaveWords } from '../docker/words.ts';
import { writeOutput } from './output-file.ts';

export async function dockerSave({ image, output }: SaveWords): Promise<number> {
  const { reference, platform } = await findImage(image);
  await writeOutput(saveImage(reference, platform), output);
  return 0;
}
