import { Archive, type ArchiveFile, type ArchiveOptions } from './archive.ts';
import type { Context } from './context.ts';
import { dockerArchive, MANIFEST_FILE } from './docker-archive.ts';
import { ImageError } from './errors.ts';
import { INDEX_FILE, Layout } from './layout.ts';
import type { ImageName } from './reference.ts';
import { ContentSource } from './resolve.ts';
import type { ImageSource, ResolvedImage } from './source.ts';

/** An image in an archive: an OCI image layout, or the older form of `docker save`. */
export class ArchiveSource implements ImageSource {
  readonly reference: string;
  readonly #file: ArchiveFile;
  readonly #image: ImageName;
  readonly #options: ArchiveOptions;

  /** @param reference the canonical reference of the image in the file */
  constructor(reference: string, file: ArchiveFile, image: ImageName, options: ArchiveOptions) {
    this.reference = reference;
    this.#file = file;
    this.#image = image;
    this.#options = options;
  }

  async resolve(context: Context): Promise<ResolvedImage> {
    const archive = await Archive.open(this.#file, this.#options, context);
    if (archive.has(INDEX_FILE))
      return new ContentSource(new Layout(this.reference, archive, this.#image)).resolve(context);
    if (archive.has(MANIFEST_FILE)) return dockerArchive(this.reference, archive, this.#image, context);
    throw new ImageError(`${this.#file.name} holds no image: neither ${INDEX_FILE} nor ${MANIFEST_FILE}`);
  }
}
