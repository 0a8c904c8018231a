/** What the interface needs from the browser or Node. The entries install theirs when they load. */

import type { Connection, NetworkOptions } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import type { HeldImage, PullEvent } from '../oci/pull.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import type { PublishedPort } from '../options/published-ports.mjs';
import type { Store } from '../storage/store.ts';

/** When the source of an image is asked: always, unless the image is stored, or never. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface LoadImageOptions {
  /** By default `missing`. */
  readonly policy?: PullPolicy | undefined;
  readonly credentials?: Credentials | undefined;
  readonly onProgress?: ((event: PullEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An image whose layers stay in the store until it is released. */
export type LoadedImage = Pick<HeldImage, 'reference' | 'digest' | 'config' | 'layers' | 'release'>;

export interface Host {
  /** For a machine of so many CPUs, which starts at once. */
  createPlatform(cpus: number): Platform;
  /** The reference of the image in which commands run that name none. */
  readonly commandImage: string;
  /** Where machines find layers: a folder in Node. */
  readonly storeFolder: string;
  openStore(): Store;
  /** @throws ImageError, StorageError, or the signal's reason */
  loadImage(reference: string, options: LoadImageOptions): Promise<LoadedImage>;
  /** The network of machines that may have one. */
  readonly network: NetworkOptions;
  /** This process's standard input, until the stream is cancelled. */
  openInput(): ReadableStream<Uint8Array>;
  /** This process's standard output or error; closing it leaves them open. */
  openOutput(descriptor: 1 | 2): WritableStream<Uint8Array>;
  /**
   * Opens ports of this machine.
   * @throws OptionError if a port cannot be taken
   */
  publish(ports: readonly PublishedPort[]): Promise<Publication>;
}

/** Ports of this machine that lead to a container. Until it is there, connections are reset. */
export interface Publication {
  readonly ports: readonly PublishedPort[];
  serve(container: Connectable): void;
  end(): Promise<void>;
}

/** What leads to servers of a container. */
export interface Connectable {
  connect(port: number, options?: { readonly signal?: AbortSignal }): Promise<Connection>;
}

let installed: Host | undefined;

export function installHost(host: Host): void {
  installed = host;
}

export function host(): Host {
  if (!installed) throw new Error('import the programming interface by its entry, "linuxrun"');
  return installed;
}
