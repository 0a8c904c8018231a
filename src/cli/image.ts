import { join } from 'node:path';
import { parseReference } from '../api/references.ts';
import { loadImage } from '../container/image.ts';
import { TarIndexer } from '../disk/tar.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import type { HeldImage } from '../oci/pull.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import { nodeStore } from '../storage/node.ts';
import { Accounts, withAdvice } from './advice.ts';
import { PUBLIC } from './program.ts';
import { PullProgress } from './progress.ts';

export interface ImageOptions {
  readonly reference: string;
  /** A folder. */
  readonly store: string;
  readonly credentials: Credentials | undefined;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * The image: from the store if it came from a registry before, otherwise from its source, with progress
 * on stderr.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function showLoadingImage(options: ImageOptions): Promise<HeldImage> {
  const reference = parseReference(options.reference);
  const store = nodeStore(options.store);
  const { env } = process;
  const accounts =
    reference.scheme === 'docker' ? new Accounts(reference, options.credentials, env) : undefined;
  const source = nodeSource(reference, {
    createTarReader: () => new TarIndexer(),
    credentials: accounts?.find,
    mirror: options.mirror,
    builtIn: join(PUBLIC, 'images'),
  });
  const progress = new PullProgress(source.reference, process.stderr);
  try {
    return await loadImage(source, store, {
      codec: nodeCodec,
      // The file at a path may have changed, and is cheap to check.
      preferStored: reference.scheme === 'docker',
      signal: options.signal,
      onEvent: (event) => progress.show(event),
    });
  } catch (error) {
    throw accounts ? await withAdvice(error, { accounts, store, env }) : error;
  } finally {
    progress.end();
  }
}
