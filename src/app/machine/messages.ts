/** What page and session worker say to each other. All of it is structured-cloneable. */
import type { ProxyMarked } from 'comlink';
import type { Usage } from '../../machine/machine.ts';
import type { ImageErrorKind } from '../../oci/errors.ts';
import type { PullEvent } from '../../oci/pull.ts';
import type { ImageName } from '../../oci/reference.ts';
import type { Credentials } from '../../oci/registry-auth.ts';
import type { Wish } from '../model/check.ts';

/** An image on the user's own disk: an archive, or the files of a layout's folder by path. */
export type LocalImage =
  | { readonly kind: 'file'; readonly name: string; readonly file: File }
  | { readonly kind: 'folder'; readonly name: string; readonly files: ReadonlyMap<string, File> };

/** Where to get the image. */
export type ImageOrigin =
  | { readonly kind: 'reference'; readonly credentials: Credentials | undefined }
  | { readonly kind: 'local'; readonly local: LocalImage; readonly image: ImageName };

export interface SessionRequest extends Wish {
  /** Where the page is, ending in a slash: the server of demo images and the way to registries. */
  readonly base: string;
  readonly origin: ImageOrigin;
  /** Whether to ask a registry although the image is stored. */
  readonly wantsNewest: boolean;
}

/** Why a session could not begin or go on, as it crosses threads. */
export interface Failure {
  /** The name of the error's class. */
  readonly name: string;
  /** Of an ImageError. */
  readonly kind?: ImageErrorKind | undefined;
  readonly message: string;
  /** The end of the log of the guest's kernel, when the machine is at fault. */
  readonly log?: string | undefined;
}

export type SessionEvent =
  | PullEvent
  /** All layers are stored. */
  | { readonly type: 'image-ready' }
  /** The kernel is up. */
  | { readonly type: 'booted' }
  /** There is a container; its program runs as soon as the guest can start it. */
  | { readonly type: 'started' }
  /** A piece of what the guest's agent tells the user, in lines. */
  | { readonly type: 'message'; readonly text: string }
  | { readonly type: 'exit'; readonly status: number }
  | { readonly type: 'failed'; readonly failure: Failure };

export interface Figures {
  /** Retired by all CPUs so far. */
  readonly instructions: number;
  /** Since the machine was started. */
  readonly seconds: number;
  readonly usage: Usage;
}

/** What a process in a terminal asks of the page. */
export interface TerminalClient extends ProxyMarked {
  /** Holds the program back until the bytes are on the screen. */
  onOutput(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** What a session asks of the page; its output is that of the container's first process. */
export interface SessionClient extends TerminalClient {
  onEvent(event: SessionEvent): Promise<void>;
  emulator(): Promise<WebAssembly.Module>;
  /** A file that a machine needs. */
  machineFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface FurtherTerminalClient extends TerminalClient {
  onEnd(status: number): Promise<void>;
}
