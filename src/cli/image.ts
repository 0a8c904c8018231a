import { type LoadedImage, loadImage } from '../api/load-image.ts';
import { nodeImages } from '../api/node-images.ts';
import type { Credentials } from '../api/public.ts';
import { parseReference } from '../api/references.ts';
import type { PullPolicy } from '../options/pull-policy.ts';
import { Accounts, withAdvice } from './advice.ts';
import { PullProgress } from './progress.ts';

export interface ImageOptions {
  readonly reference: string;
  /** Whose image it is; by default the best one of those that it is for. */
  readonly platform?: string | undefined;
  /** A folder. */
  readonly store: string;
  /** The folder with the images that come with LinuxRun. */
  readonly assets: string;
  readonly credentials: Credentials | undefined;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror?: string | undefined;
  readonly signal: AbortSignal;
  readonly policy: PullPolicy;
  readonly showsProgress: boolean;
}

/**
 * Loads an image, from the store or its source as the policy says, with progress on stderr.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function showLoadingImage(options: ImageOptions): Promise<LoadedImage> {
  const { platform, policy, signal, showsProgress } = options;
  const reference = parseReference(options.reference);
  const images = nodeImages({ store: options.store, assets: options.assets, mirror: options.mirror });
  const { env } = process;
  const accounts =
    reference.scheme === 'docker' ? new Accounts(reference, options.credentials, env) : undefined;
  const progress = showsProgress
    ? new PullProgress(images.nameOf(options.reference), process.stderr)
    : undefined;
  try {
    return await loadImage(images, options.reference, {
      policy,
      platform,
      credentials: accounts?.find,
      onProgress: (event) => progress?.show(event),
      signal,
    });
  } catch (error) {
    const listStored = () => images.openStore().images.list();
    throw accounts ? await withAdvice(error, { accounts, listStored, env }) : error;
  } finally {
    progress?.end();
  }
}
