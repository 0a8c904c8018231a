import type { RequestOptions } from '../http/client.ts';
import type { HttpRequest } from '../http/request-head.ts';
import type { ProxiedResponse } from '../http/response.ts';
import type { Connection, NetworkStatus, Plain, PortChange } from '../machine/machine.ts';
import type { Channel } from './channel.ts';
import type { Child, Signal } from './child.ts';
import type { ContainerFs } from './files.ts';
import type { PublishedPort } from './host.ts';
import type { CommitOptions } from './local-images.ts';
import type { Stdio, Terminal } from './stdio.ts';

/** A further process in a container. What is not given is as for the container's own. */
export interface ExecOptions {
  /** Further variables, by their names. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The working directory. */
  readonly currentDir?: string | undefined;
  /** `user` or `user:group`, names or numbers. */
  readonly user?: string | undefined;
  /** Gives the process a terminal: its output is all on `stdout`. */
  readonly terminal?: Terminal | undefined;
  /** Where standard input comes from; by default `piped`. */
  readonly stdin?: Stdio | undefined;
  /** Where standard output goes; by default `piped`. */
  readonly stdout?: Stdio | undefined;
  /** Where standard error goes; by default `piped`. */
  readonly stderr?: Stdio | undefined;
  /** Kills the process and its descendants. */
  readonly signal?: AbortSignal | undefined;
}

/** What a running container uses. */
export interface Stats {
  /** Of its machine, without the kernel. */
  readonly memory: { readonly totalBytes: number; readonly usedBytes: number };
  /** Seconds since its start; seconds that its CPUs have worked together; instructions that they have run. */
  readonly cpu: { readonly uptime: number; readonly busy: number; readonly instructions: number };
  /** The disk that it writes to. */
  readonly disk: { readonly totalBytes: number; readonly usedBytes: number };
  /** What came from the network, and what went there. */
  readonly network: { readonly receivedBytes: number; readonly sentBytes: number };
}

/** The events of a running container, and what their listeners get. */
export interface ContainerEvents {
  /** A server in the container has begun, or ended, to listen. */
  port: PortChange;
  /** Its program has ended, with the status that `wait` tells. */
  exit: { readonly status: number };
  /** The state of its network has changed. */
  network: NetworkStatus;
  /** Its kept disk cannot be written, such as when the store is full, or can be again: without a problem. */
  disk: { readonly problem: string | undefined };
  /** It has been saved, or that has failed; it may also have saved itself. */
  saved: { readonly problem: Error | undefined };
  /** A line for the user, such as that memory ran out. */
  message: { readonly text: string };
}

/** How a container is asked to end. */
export interface StopOptions {
  /** By default the stop signal of the image, which is SIGTERM unless it names one. */
  readonly signal?: Signal | undefined;
  /** The time that it has to end, by default 10. */
  readonly seconds?: number | undefined;
}

/** How a container is saved. */
export interface SaveOptions {
  /**
   * Lets it stand still for two seconds more, because its page is about to be left: it would go on from the
   * saved state only if it wrote no files after that.
   */
  readonly isLeaving?: boolean | undefined;
}

/** A container whose program runs. As a `Child` it stands for that program. */
export interface RunningContainer extends Child {
  /** The working directory of its program. */
  readonly currentDir: string;
  /** The name under which its files are kept; undefined if they are not. */
  readonly name: string | undefined;
  /** What its image is for, such as `linux/arm64`; all but `linux/riscv64` are emulated. */
  readonly platform: string;
  /** Its files. */
  readonly fs: ContainerFs;
  /** Ports of this machine that lead to it, with the number of each that was 0. */
  readonly published: readonly PublishedPort[];
  /** Starts a further process: a program and its arguments. */
  exec(args: readonly string[], options?: ExecOptions): Child;
  /**
   * Sends an HTTP request to a server in the container, on the port of the URL if no other is given.
   * @throws TypeError, HttpError, ConnectError, or the reason of the request's signal
   */
  proxyRequest(request: HttpRequest, options?: RequestOptions): Promise<ProxiedResponse>;
  /** Connects to a TCP port of the container. @throws ConnectError */
  connect(port: number, options?: { readonly signal?: AbortSignal }): Promise<Connection>;
  /**
   * Calls the listener for each event; at first with the latest state of the network, if it has one.
   * @returns a function that ends the calls
   */
  on<Name extends keyof ContainerEvents>(
    name: Name,
    listener: (event: ContainerEvents[Name]) => void,
  ): () => void;
  /**
   * Opens the socket `/run/linuxrun/NAME.sock` in the container, for messages to and from its programs.
   * Another call with the name returns the same channel until that is disposed of.
   * @throws OptionError if the name cannot be that of a socket
   */
  channel(name: string): Channel;
  /**
   * Keeps its files under a name, if it was made `keepable`. Resolves when they are safe.
   * @throws OptionError, ContainerExistsError, StorageError; MachineError if the store is full
   */
  keep(name: string): Promise<void>;
  /** Leaves nothing of it in the store when it ends, unless `keep` is called again. */
  unkeep(): Promise<void>;
  /** Further processes that go on, if it does: those that `exec` started. */
  readonly resumed: readonly Child[];
  /** What `annotate` gave for the saved state from which it goes on. */
  readonly annotation: Plain | undefined;
  /**
   * Says what belongs to it, such as the contents of its terminals. It is asked at each save, while the
   * container stands still.
   */
  annotate(annotate: () => Plain | Promise<Plain>): void;
  /**
   * Saves its memory and its processes, if it is kept, so that `containers.start` goes on from there. It
   * stands still meanwhile. Kept containers also save themselves when they rest.
   * @throws OptionError if it is not kept; MachineError, StorageError
   */
  save(options?: SaveOptions): Promise<void>;
  /** Saves it, and ends its machine. Its processes go on with `containers.start`. @throws as `save` */
  suspend(): Promise<void>;
  /**
   * Saves what it has become as the start of later containers with its image and its options, such as a
   * prompt that is ready. They get files, a clock and random numbers of their own. A program that has drawn
   * random numbers already goes on with the same ones in all of them.
   * @throws MachineError, StorageError
   */
  saveStart(): Promise<void>;
  /**
   * Its whole state as a file, for `containers.openSession`. It stands still until the file has been read.
   * @throws MachineError, also as the stream's error
   */
  exportSession(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Changes the name under which its files are kept. @throws OptionError, ContainerExistsError */
  rename(name: string): Promise<void>;
  /**
   * Reads what it has changed: a tar that is a layer of its image (OCI image specification). Its processes
   * wait meanwhile.
   * @throws FileError, MachineError, also as the stream's error
   */
  exportChanges(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /**
   * Makes an image of it: its image with one more layer. Its processes wait meanwhile.
   * @returns the canonical reference of the new image
   * @throws ImageError, OptionError, StorageError, MachineError
   */
  commit(image: string, options?: CommitOptions): Promise<string>;
  /** Measures what it uses now. @throws MachineError once its machine has ended */
  stats(): Promise<Stats>;
  /** Asks it to end, and kills it if it has not ended in time. */
  stop(options?: StopOptions): Promise<number>;
}
