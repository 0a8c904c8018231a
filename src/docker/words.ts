/** What a command line of Docker's says, by command. */
import type { FolderMount } from '../options/mounts.mjs';
import type { Architecture } from '../options/platform.mjs';
import type { PublishedPort } from '../options/published-ports.mjs';
import type { PullPolicy } from '../options/pull-policy.ts';
import type { CommandName } from './commands.ts';

/** What `run` and `exec` have in common. */
export interface ProcessWords {
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detach: boolean;
  /** `NAME=VALUE`, or `NAME` of the surrounding environment. They replace the variables of the files. */
  readonly env: readonly string[];
  readonly envFiles: readonly string[];
  readonly user: string | undefined;
  readonly currentDir: string | undefined;
}

export interface RunWords extends ProcessWords {
  readonly command: 'run';
  readonly image: string;
  /** Whose image it is; undefined for the best one of those that the image is for. */
  readonly platform: Architecture | undefined;
  /** Undefined for the image's own. */
  readonly entrypoint: readonly string[] | undefined;
  /** Undefined for the image's own. */
  readonly args: readonly string[] | undefined;
  readonly ports: readonly PublishedPort[];
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly name: string | undefined;
  /** Whether nothing is kept, even of a container with a name. */
  readonly remove: boolean;
  readonly hostname: string | undefined;
  readonly init: boolean;
  readonly network: 'none' | 'bridge' | undefined;
  readonly devices: readonly string[];
  readonly readOnly: boolean;
  readonly tmpfs: readonly string[];
  readonly volumes: readonly FolderMount[];
  readonly pull: PullPolicy;
  readonly quiet: boolean;
}

export interface ExecWords extends ProcessWords {
  readonly command: 'exec';
  readonly container: string;
  readonly args: readonly string[];
}

/** How a list is shown. */
export interface ListWords {
  readonly quiet: boolean;
  readonly noTrunc: boolean;
  readonly format: string | undefined;
}

export interface PsWords extends ListWords {
  readonly command: 'ps';
  /** Whether kept containers that do not run are listed, too. */
  readonly all: boolean;
  readonly size: boolean;
}

/** How a container that starts again is connected. */
export interface AttachWords {
  readonly attach: boolean;
  readonly interactive: boolean;
}

export interface StartWords extends AttachWords {
  readonly command: 'start';
  readonly containers: readonly string[];
}

export interface RmWords {
  readonly command: 'rm';
  readonly containers: readonly string[];
  readonly force: boolean;
}

export interface RenameWords {
  readonly command: 'rename';
  readonly container: string;
  readonly newName: string;
}

export interface PruneWords {
  readonly command: 'prune';
  readonly force: boolean;
}

export interface SuspendWords {
  readonly command: 'suspend';
  readonly containers: readonly string[];
  /** The file for the session. */
  readonly snapshot: string | undefined;
}

export interface ResumeWords extends AttachWords {
  readonly command: 'resume';
  readonly containers: readonly string[];
  /** The file with the session. */
  readonly snapshot: string | undefined;
  /** The name for the session of a file. */
  readonly name: string | undefined;
}

export interface CommitWords {
  readonly command: 'commit';
  readonly container: string;
  readonly image: string;
  readonly author: string | undefined;
  readonly message: string | undefined;
  /** Instructions of a Dockerfile that change the configuration. */
  readonly changes: readonly string[];
}

/** Writes an image to a file. */
export interface SaveWords {
  readonly command: 'save';
  readonly image: string;
  /** Undefined for standard output. */
  readonly output: string | undefined;
}

/** Writes what a container has changed to a file. */
export interface ExportWords {
  readonly command: 'export';
  readonly container: string;
  /** Undefined for standard output. */
  readonly output: string | undefined;
}

export interface ImportWords {
  readonly command: 'import';
  readonly name: string;
  /** `-` for standard input. */
  readonly file: string;
  readonly image: string;
}

export interface StopWords {
  readonly command: 'stop';
  readonly containers: readonly string[];
  readonly seconds: number | undefined;
  readonly signal: string | undefined;
}

export interface LogsWords {
  readonly command: 'logs';
  readonly container: string;
  readonly follow: boolean;
  /** The number of lines; undefined for all. */
  readonly tail: number | undefined;
}

/** A place of `cp`: in a container, or on this machine if there is none. */
export interface Place {
  readonly container: string | undefined;
  readonly path: string;
}

export interface CpWords {
  readonly command: 'cp';
  readonly from: Place;
  readonly to: Place;
}

export interface InspectWords {
  readonly command: 'inspect';
  readonly names: readonly string[];
  readonly format: string | undefined;
  readonly type: 'container' | 'image' | undefined;
}

export interface PullWords {
  readonly command: 'pull';
  readonly image: string;
  readonly platform: Architecture | undefined;
  readonly quiet: boolean;
}

export interface ImagesWords extends ListWords {
  readonly command: 'images';
  readonly image: string | undefined;
  readonly digests: boolean;
}

export interface RmiWords {
  readonly command: 'rmi';
  readonly images: readonly string[];
  readonly force: boolean;
}

export interface VersionWords {
  readonly command: 'version';
  readonly format: string | undefined;
}

/** Asks for the help of one command, or of all. */
export interface HelpWords {
  readonly command: 'help';
  readonly about: CommandName | undefined;
}

export type DockerWords =
  | RunWords
  | ExecWords
  | StartWords
  | RmWords
  | RenameWords
  | PruneWords
  | SuspendWords
  | ResumeWords
  | CommitWords
  | SaveWords
  | ExportWords
  | ImportWords
  | PsWords
  | StopWords
  | LogsWords
  | CpWords
  | InspectWords
  | PullWords
  | ImagesWords
  | RmiWords
  | VersionWords
  | HelpWords;
