/** The messages between page and session worker. All of them are structured-cloneable. */
import type { ProxyMarked } from 'comlink';
import type { NewFiles } from '../../api/kept.ts';
import type {
  Credentials,
  ImageErrorKind,
  ImageName,
  NetworkStatus,
  PullEvent,
  Stats,
  Terminal,
} from '../../api/public.ts';
import type { Reference } from '../../api/references.ts';
import type { SavedScreen } from '../../terminal/screen.ts';
import type { Wish } from '../model/check.ts';
import type { ChosenFolder } from '../model/folders.ts';
import type { SavedTerminal, SavedView } from '../model/saved-view.ts';

/** An image on the user's disk: an archive, or the files of a layout's folder by path. */
export type LocalImage =
  | { readonly kind: 'file'; readonly name: string; readonly file: File }
  | { readonly kind: 'folder'; readonly name: string; readonly files: ReadonlyMap<string, File> };

/** Where to get the image. */
export type ImageOrigin =
  | { readonly kind: 'reference'; readonly credentials: Credentials | undefined }
  | { readonly kind: 'local'; readonly local: LocalImage; readonly image: ImageName };

/** Which image. */
export interface ImageRequest {
  readonly reference: Reference;
  readonly platform: Wish['platform'];
  /** The URL of the page, ending in a slash. Its server has the demo images and the registry proxy. */
  readonly base: string;
  readonly origin: ImageOrigin;
}

/** What the source of an image says about it. */
export type Inspection =
  | {
      readonly failure?: undefined;
      readonly platforms: readonly string[];
      readonly config: { readonly architecture: string };
      /** The bytes of its layers at the source. */
      readonly size: number;
    }
  | { readonly failure: Failure };

/** A saved session from outside: a picked file, or the URL of a file on the page's server. */
export type SessionPlace = Blob | string;

/** A kept container that goes on, in place of a new one. */
export interface KeptRequest {
  readonly name: string;
  /**
   * Whether its programs go on where they were saved; `always` also if files have been written since, which
   * are then lost.
   */
  readonly resumes: boolean | 'always';
  /** The saved session of somebody else, from which the container of this name is made. */
  readonly file?: SessionPlace | undefined;
}

/** What a new container has of a project. */
export interface ProjectFiles extends NewFiles {
  /** The files that the editor shows at first; below the folder. */
  readonly open: readonly string[];
  /** The folder of the browser that the container shares in place of the files' folder, if it does. */
  readonly shared?: SharedProject | undefined;
}

/** A project in a folder of the browser. */
export interface SharedProject {
  readonly name: string;
  /** Its `linuxrun.json`, for a new folder. */
  readonly manifest: Uint8Array;
}

export interface SessionRequest extends Wish, ImageRequest {
  readonly kept?: KeptRequest | undefined;
  /** The project from which a new container is made, which is kept if `kept` has a name for it. */
  readonly project?: ProjectFiles | undefined;
  /** Whether to ask the registry even though the image is stored. */
  readonly wantsNewest: boolean;
  /** `on` for that of the page's server, `off`, or the URL of another one. */
  readonly relay: string;
  readonly folders: readonly ChosenFolder[];
}

/** What the page has loaded before it knows the request. */
export interface Prepared {
  /** The URL of the page, ending in a slash. */
  readonly base: string;
  readonly emulator: WebAssembly.Module;
  /** The file of the machine that has booted, if it could be loaded. */
  readonly booted: Uint8Array | undefined;
  readonly relay: SessionRequest['relay'];
}

/** Why a session could not start or go on, in a form that crosses threads. */
export interface Failure {
  /** The name of the error's class. */
  readonly name: string;
  /** The kind of an ImageError. */
  readonly kind?: ImageErrorKind | undefined;
  readonly message: string;
  /** The references that an ImageError offers instead. */
  readonly choices?: readonly string[];
  /** The end of the guest kernel's log, if the machine failed. */
  readonly log?: string | undefined;
}

export type SessionEvent =
  | PullEvent
  /** All layers are stored. */
  | { readonly type: 'image-ready' }
  /** The kernel is up. */
  | { readonly type: 'booted' }
  /** The browser gives the machine less memory than it should have. */
  | { readonly type: 'less-memory'; readonly bytes: number }
  /** What the image is for that runs, such as `linux/arm64`. */
  | { readonly type: 'platform'; readonly platform: string }
  /** The program runs. */
  | { readonly type: 'started' }
  /** The programs of a saved session go on. What the page showed comes before their further output. */
  | { readonly type: 'resumed'; readonly view: SavedView }
  /** It was cut off after it was saved, and goes on from there or has started on its files. */
  | { readonly type: 'cut-off'; readonly saved: number; readonly goesOn: boolean }
  /** Why the store does not take what the container writes, or undefined when it does again. */
  | { readonly type: 'disk'; readonly problem: string | undefined }
  /** The session has been saved, or the reason why not. */
  | { readonly type: 'saved'; readonly problem: Failure | undefined }
  /** A server of the container begins or ends to listen. */
  | { readonly type: 'port'; readonly port: number; readonly open: boolean }
  /** Lines of the guest's agent for the user. */
  | { readonly type: 'message'; readonly text: string }
  /** Its state has changed, or the number of its bytes, which comes once a second. */
  | { readonly type: 'network'; readonly status: NetworkStatus }
  /** The worker has not answered for long, because the browser has not started it or it is stuck. */
  | { readonly type: 'silent' }
  /** It answers after all. */
  | { readonly type: 'answering' }
  | { readonly type: 'exit'; readonly status: number }
  | { readonly type: 'failed'; readonly failure: Failure };

/** A container in the store. */
export interface KeptItem {
  readonly name: string;
  /** The reference of its image. */
  readonly image: string;
  /** Times in ms since 1970. */
  readonly created: number;
  readonly lastUsed: number;
  readonly usedBytes: number;
  /** `running` also in another tab. */
  readonly status: 'running' | 'suspended' | 'stopped';
  /** When its programs were saved. A stopped one has written files since. */
  readonly saved: number | undefined;
  /** The query of a link to such a container, without values of variables. */
  readonly link: string;
}

/** What a file with a saved session holds. */
export interface SessionFile {
  /** The reference of its image. */
  readonly image: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** The program and its arguments; empty if they are the image's. */
  readonly command: readonly string[];
  /** When it was saved, in ms since 1970. */
  readonly saved: number;
  /** The size of the file, if it is known. */
  readonly bytes: number | undefined;
}

/** What a process's screen shows, without the bytes that are on their way to it. */
export interface ShownScreen extends SavedScreen {
  /** The bytes of the process's output that led to it, in this visit. */
  readonly shown: number;
}

/** What the page shows, for a save. The session adds the output that is on its way. */
export interface ShownView extends Omit<SavedView, 'terminals' | 'processes'> {
  readonly terminals: readonly (ShownScreen & Pick<SavedTerminal, 'process' | 'title'>)[];
}

export type TerminalSize = Pick<Terminal, 'columns' | 'rows'>;

/** What the container uses. */
export type Figures = Stats;

/** The calls of a process in a terminal to the page. */
export interface TerminalClient extends ProxyMarked {
  /** Holds the program back until the bytes are on the screen. */
  onOutput(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The calls of a session to the page. Its output is that of the container's first process. */
export interface SessionClient extends TerminalClient {
  onEvent(event: SessionEvent): Promise<void>;
  /** Asks what the page shows, for a save. */
  view(): Promise<ShownView>;
  emulator(): Promise<WebAssembly.Module>;
  /** A file that a machine needs. */
  machineFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface FurtherTerminalClient extends TerminalClient {
  onEnd(status: number): Promise<void>;
}
