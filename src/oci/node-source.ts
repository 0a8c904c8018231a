import { resolve } from 'node:path';
import type { TarReader } from './archive.ts';
import { ArchiveSource } from './archive-source.ts';
import { registrySource } from './docker-hub.ts';
import type { Fetch, Timing } from './http.ts';
import { Layout } from './layout.ts';
import { nodeCodec } from './node-codec.ts';
import { NodeFolder, nodeFile } from './node-files.ts';
import { formatReference, type Reference } from './reference.ts';
import type { Credentials, FindCredentials } from './registry-auth.ts';
import { ContentSource } from './resolve.ts';
import type { ImageSource } from './source.ts';

export interface NodeSourceOptions {
  readonly createTarReader: () => TarReader;
  /** The user's credentials for the registry, or how to find them. */
  readonly credentials?: Credentials | FindCredentials | undefined;
  /** Node's own by default. */
  readonly fetch?: Fetch | undefined;
  readonly timing?: Partial<Timing> | undefined;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror?: string | undefined;
  /** The folder of the images that come with LinuxRun. */
  readonly builtIn?: string | undefined;
}

/**
 * Returns the source that a reference names in Node: paths are on this computer, and registries are asked
 * directly.
 */
export function nodeSource(reference: Reference, options: NodeSourceOptions): ImageSource {
  const { createTarReader, fetch = loadedFetch, credentials, timing } = options;
  if (reference.scheme === 'docker') {
    const { mirror, builtIn } = options;
    const folder = builtIn === undefined ? undefined : new NodeFolder(builtIn);
    return registrySource(reference, { fetch, credentials, timing, mirror, builtIn: folder });
  }
  const path = resolve(reference.path);
  const canonical = formatReference({ ...reference, path });
  if (reference.scheme === 'oci')
    return new ContentSource(new Layout(canonical, new NodeFolder(path), reference.image));
  return new ArchiveSource(canonical, nodeFile(path), reference.image, { codec: nodeCodec, createTarReader });
}

/** Node takes 10 ms to load its HTTP client, which stored images do not need. */
const loadedFetch: Fetch = async (url, init) => (await import('./node-fetch.ts')).nodeFetch(url, init);
