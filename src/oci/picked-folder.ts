import { blobFile } from './archive.ts';
import { type Bytes, collect } from './bytes.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';
import { Layout } from './layout.ts';
import { formatReference, type ImageName } from './reference.ts';
import { ContentSource } from './resolve.ts';
import type { ImageSource } from './source.ts';

/** A folder that the user picked or dropped in a browser. */
class PickedFolder implements Folder {
  readonly parallel = 3;
  readonly #name: string;
  readonly #files: ReadonlyMap<string, File>;

  constructor(name: string, files: ReadonlyMap<string, File>) {
    this.#name = name;
    this.#files = files;
  }

  async readFile(path: string, limit: number, context: Context): Promise<Uint8Array> {
    return collect(this.#stream(path, context), limit, path);
  }

  stream(path: string, _size: number, context: Context): Bytes {
    return this.#stream(path, context);
  }

  position(): number {
    return 0;
  }

  #stream(path: string, context: Context): Bytes {
    const file = this.#files.get(path);
    if (!file) throw new ImageError(`${this.#name} has no ${path}`, 'not-found');
    return blobFile(file, path).stream(0, undefined, context);
  }
}

/**
 * Returns the image in a folder that the user picked. The folder must be an OCI image layout.
 * @param files the files by their paths in the folder
 */
export function pickedFolderSource(
  name: string,
  files: ReadonlyMap<string, File>,
  image: ImageName,
): ImageSource {
  const canonical = formatReference({ scheme: 'file', path: name, image });
  return new ContentSource(new Layout(canonical, new PickedFolder(name, files), image));
}
