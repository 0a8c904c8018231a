import { type ArchiveOptions, blobFile } from './archive.ts';
import { ArchiveSource } from './archive-source.ts';
import { registrySource } from './docker-hub.ts';
import { ImageError } from './errors.ts';
import type { Timing } from './http.ts';
import { HttpFolder } from './http-folder.ts';
import { Layout } from './layout.ts';
import { proxiedFetch } from './proxied-fetch.ts';
import { formatReference, type ImageName, type Reference } from './reference.ts';
import type { Credentials, FindCredentials } from './registry-auth.ts';
import { ContentSource } from './resolve.ts';
import type { ImageSource } from './source.ts';

export interface BrowserSourceOptions {
  /** The URL of our server, ending in a slash. Paths of image layouts are relative to it. */
  readonly base: URL;
  /** The user's credentials for the registry, or how to find them. */
  readonly credentials?: Credentials | FindCredentials | undefined;
  readonly timing?: Partial<Timing> | undefined;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror?: string | undefined;
  /** The URL of the folder of the images that come with LinuxRun, ending in a slash. */
  readonly builtIn?: URL | undefined;
}

/**
 * Returns the source that a reference names in a browser: paths are on our own server, and its proxy reaches
 * registries.
 */
export function browserSource(reference: Reference, options: BrowserSourceOptions): ImageSource {
  const { base, credentials, timing, mirror, builtIn } = options;
  switch (reference.scheme) {
    case 'docker': {
      const fetch = proxiedFetch(new URL('registry/', base));
      const folder = builtIn && folderAt(builtIn, timing);
      return registrySource(reference, { fetch, credentials, timing, mirror, builtIn: folder });
    }
    case 'oci': {
      const path = reference.path.split('/').map(encodeURIComponent).join('/');
      const folder = new URL(`${path}/`, base);
      if (folder.origin !== base.origin)
        throw new ImageError('an image layout must be on the server of this page', 'reference');
      const files = folderAt(folder, timing);
      return new ContentSource(new Layout(formatReference(reference), files, reference.image));
    }
    case 'file':
      throw new ImageError('a browser opens files only when you pick or drop them', 'reference');
  }
}

function folderAt(url: URL, timing: Partial<Timing> | undefined): HttpFolder {
  return new HttpFolder(url, (address, init) => fetch(address, init), timing);
}

/** Returns the image in a file that the user picked or dropped. */
export function pickedSource(file: File, image: ImageName, options: ArchiveOptions): ImageSource {
  const canonical = formatReference({ scheme: 'file', path: file.name, image });
  return new ArchiveSource(canonical, blobFile(file, file.name), image, options);
}
