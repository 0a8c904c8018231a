import type { ContainerRecord, Json } from '../storage/container-store.ts';
import type { PublishedPort } from './host.ts';
import type { Network } from './machine-settings.ts';

/** A folder of this computer for a container. */
export interface FolderMount {
  /** Its path on this computer. */
  readonly source: string;
  /** Where the container sees it. */
  readonly path: string;
  /** Whether the container only reads it. */
  readonly readOnly: boolean;
}

/** A folder that the browser keeps, for a container. */
export interface BrowserFolderMount {
  /** Its name. */
  readonly name: string;
  /** Where the container sees it. */
  readonly path: string;
  /** Whether the container only reads it. */
  readonly readOnly: boolean;
}

/** What a container runs, with which one that is kept starts again. */
export interface LaunchOptions {
  /** Replaces the entrypoint of the image, and drops its command. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the command of the image. */
  readonly args?: readonly string[] | undefined;
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** The working directory; by default the image's. */
  readonly currentDir?: string | undefined;
  /** `user` or `user:group`, names or numbers; by default the image's. */
  readonly user?: string | undefined;
  /** By default one that is made up. */
  readonly hostname?: string | undefined;
  /** Whether the program runs below a small init, which reaps orphans. */
  readonly init?: boolean | undefined;
  /** `/dev/fuse` or `/dev/net/tun`. */
  readonly devices: readonly string[];
  /** Whether its root file system is read-only. */
  readonly readOnly?: boolean | undefined;
  /** Paths of folders in memory, as `--tmpfs` takes them. */
  readonly tmpfs: readonly string[];
  /** Folders of this computer that it shares. */
  readonly mounts?: readonly FolderMount[] | undefined;
  /** Folders of the browser that it shares. */
  readonly browserFolders?: readonly BrowserFolderMount[] | undefined;
  /** Ports of this machine that lead to it. */
  readonly ports: readonly PublishedPort[];
  /** The number of its CPUs. */
  readonly cpus: number;
  /** The size of its memory. */
  readonly memoryBytes: number;
  /** The size of the disk that it writes to. */
  readonly diskBytes: number;
  /** What it can reach. */
  readonly network: Network;
  /** Whether it has a terminal. */
  readonly terminal: boolean;
}

/** How the record of a container describes its runs. */
export interface KeptOptions {
  readonly launch: LaunchOptions;
  /** The status with which it has ended; undefined if it runs, or was killed with its owner. */
  readonly status?: number | undefined;
}

/** How a record says that its container runs. */
export function keptOptions({ options }: ContainerRecord): KeptOptions {
  return options as unknown as KeptOptions;
}

/** The form in which options are stored, without those that are not given. */
export function toJson(options: KeptOptions | LaunchOptions): Json {
  return JSON.parse(JSON.stringify(options));
}
