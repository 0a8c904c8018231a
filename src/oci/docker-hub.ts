/** Docker Hub, which may have a mirror, and some of whose images come with LinuxRun. */
import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';
import { Layout } from './layout.ts';
import type { RegistryReference } from './reference.ts';
import { DOCKER_HUB, Registry, type RegistryOptions } from './registry.ts';
import { ContentSource } from './resolve.ts';
import type { ImageSource, ResolvedImage } from './source.ts';

export interface HubOptions {
  /** The origin of a registry that is asked instead of Docker Hub, without the user's account. */
  readonly mirror?: string | undefined;
  /** The image layout that comes with LinuxRun, in which a tag is the name of an official image. */
  readonly builtIn?: Folder | undefined;
}

const BUILT_IN = ['library/busybox', 'library/hello-world'];
/** The longest time to look for an image that is also built in, in ms. */
const PATIENCE = 3000;

/** Returns the source of a registry's image. */
export function registrySource(
  reference: RegistryReference,
  { mirror, builtIn, ...options }: RegistryOptions & HubOptions,
): ImageSource {
  const { registry, repository, tag, digest } = reference;
  if (registry !== DOCKER_HUB) return new ContentSource(new Registry(reference, options));
  const hub =
    mirror === undefined
      ? new ContentSource(new Registry(reference, options))
      : new Mirror(reference, mirror, options);
  const isBuiltIn = BUILT_IN.includes(repository) && tag === 'latest' && digest === undefined;
  if (!builtIn || !isBuiltIn) return hub;
  const name = repository.slice(repository.indexOf('/') + 1);
  return new Fallback(hub, new ContentSource(new Layout(hub.reference, builtIn, { name })));
}

/** A mirror of Docker Hub, which its errors name. */
class Mirror implements ImageSource {
  readonly reference: string;
  readonly #origin: string;
  readonly #source: ImageSource;

  constructor(reference: RegistryReference, origin: string, { fetch, timing }: RegistryOptions) {
    this.#origin = origin;
    this.#source = new ContentSource(new Registry(reference, { fetch, timing, origin }));
    this.reference = this.#source.reference;
  }

  async resolve(context: Context): Promise<ResolvedImage> {
    try {
      const image = await this.#source.resolve(context);
      const layers = image.layers.map((layer) => ({
        ...layer,
        open: (context: Context) => this.#naming(layer.open(context)),
      }));
      return { ...image, layers };
    } catch (error) {
      throw this.#named(error);
    }
  }

  async *#naming(bytes: Bytes): Bytes {
    try {
      yield* bytes;
    } catch (error) {
      throw this.#named(error);
    }
  }

  #named(error: unknown): unknown {
    if (!(error instanceof ImageError)) return error;
    const { message, kind, choices } = error;
    const text = `Docker Hub's mirror ${this.#origin}: ${message}`;
    return new ImageError(text, kind, { choices, cause: error });
  }
}

/** An image that also comes with LinuxRun, for when its source cannot be reached. */
class Fallback implements ImageSource {
  readonly reference: string;
  readonly #source: ImageSource;
  readonly #builtIn: ImageSource;

  constructor(source: ImageSource, builtIn: ImageSource) {
    this.reference = source.reference;
    this.#source = source;
    this.#builtIn = builtIn;
  }

  async resolve(context: Context): Promise<ResolvedImage> {
    let problem = `${this.reference} was not found within ${PATIENCE / 1000} s`;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(new ImageError(problem, 'network')), PATIENCE);
    const signal = AbortSignal.any([context.signal, patience.signal]);
    const onRetry = (reason: string) => {
      problem = reason;
    };
    try {
      return await this.#source.resolve({ ...context, signal, onRetry });
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof ImageError) || error.kind !== 'network') throw error;
      context.onBuiltIn?.(error.message);
      return this.#builtIn.resolve(context);
    } finally {
      clearTimeout(timer);
    }
  }
}
