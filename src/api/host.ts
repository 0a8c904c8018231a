/** What the interface needs from the browser or Node. The entries install theirs when they load. */

import type { SpareMachine } from '../container/spare-machine.ts';
import type { StoredFolders } from '../folders/stored-folders.ts';
import type { Connection, NetworkOptions } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import type { Codec } from '../oci/codec.ts';
import type { SaverPlatform } from '../snapshot/savers.ts';
import type { Store } from '../storage/store.ts';
import type {
  ImageDescription,
  ImageLocation,
  ImageNames,
  LoadedImage,
  LoadImageOptions,
  SourceOptions,
} from './load-image.ts';

export type { Platform } from '../machine/platform/platform.ts';

/** What the list of stored images needs. */
export interface Library extends ImageNames {
  openStore(): Store;
  /** The bytes that are left for images, whether they are kept, and whether until they are removed. */
  measureRoom(): Promise<{
    readonly freeBytes: number | undefined;
    readonly isKept: boolean;
    readonly isPersistent: boolean;
  }>;
  /** Asks to keep images until they are removed. @returns whether they will be */
  persist(): Promise<boolean>;
}

/** What loads images, in this thread or in another. */
export interface ImageLoading {
  /** @throws ImageError, StorageError, or the signal's reason */
  loadImage(image: ImageLocation, options: LoadImageOptions): Promise<LoadedImage>;
  /** Asks the source of an image about it. @throws ImageError, or the signal's reason */
  inspectSource(image: ImageLocation, options: SourceOptions): Promise<ImageDescription>;
}

/** What kept containers need. */
export interface KeptPlaces extends Pick<ImageNames, 'nameOf'> {
  readonly store: Store;
  /** What saves containers in the store. @param emulator the compiled core */
  createSavers(emulator: WebAssembly.Module): Promise<SaverPlatform>;
  loadCodec(): Promise<Codec>;
}

/** What containers need. */
export interface ContainerHost extends Pick<ImageLoading, 'loadImage'> {
  /** Returns the platform of a machine with this number of CPUs, whose workers start at once. */
  createPlatform(cpus: number): Platform;
  /** A machine that the next container may take. `dismiss` of its platform ends it. */
  readonly spare?: SpareMachine | undefined;
  /** Where machines find layers: a folder in Node. */
  readonly storeFolder: string;
  /** Where containers are kept. Its code is loaded when it is needed. */
  openKept(): Promise<KeptPlaces>;
  /** Whether the start of a container has been saved. Answers at once, because each start asks. */
  hasStarts(): Promise<boolean>;
  /** The network of machines that may have one. */
  readonly network: NetworkOptions;
  /**
   * This process's standard input, until the stream is cancelled.
   * @param isRaw if it is a terminal, every key comes at once and does nothing else
   */
  openInput(isRaw: boolean): ReadableStream<Uint8Array>;
  /** This process's standard output or error; closing it leaves them open. */
  openOutput(descriptor: 1 | 2): WritableStream<Uint8Array>;
  /** The path of a folder of this computer, from anywhere. @throws OptionError if there is none */
  findFolder(path: string): Promise<string>;
  /** The folders that a browser keeps. */
  readonly folders?: StoredFolders | undefined;
  /**
   * Opens ports of this machine.
   * @throws OptionError if a port cannot be taken
   */
  publish(ports: readonly PublishedPort[]): Promise<Publication>;
}

export interface Host extends Library, ImageLoading, ContainerHost {
  /** The reference of the image in which commands run that name none. */
  readonly commandImage: string;
  /** A text file of this computer. @throws OptionError */
  readTextFile(path: string): Promise<string>;
}

/** A port of this machine that leads to one of a container. */
export interface PublishedPort {
  /** The address on which this machine listens. IPv6 is in brackets. */
  readonly address: string;
  /** The port of this machine; 0 for any free one. */
  readonly host: number;
  /** The port of the container. */
  readonly container: number;
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
let installedLibrary: Library | undefined;
let installedContainerHost: ContainerHost | undefined;

export function installHost(host: Host): void {
  installed = host;
  installedLibrary = host;
  installedContainerHost = host;
}

/** For threads that only list and remove images. */
export function installLibrary(library: Library): void {
  installedLibrary = library;
}

/** For programs that only run containers. */
export function installContainerHost(host: ContainerHost): void {
  installedContainerHost = host;
}

/** @throws Error if no entry has been loaded */
export const host = (): Host => given(installed);
export const containerHost = (): ContainerHost => given(installedContainerHost);
export const library = (): Library => given(installedLibrary);

function given<T>(value: T | undefined): T {
  if (!value) throw new Error('import the programming interface by its entry, "linuxrun"');
  return value;
}
