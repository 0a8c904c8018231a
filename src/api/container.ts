import { AutoSave } from '../container/auto-save.ts';
import { type ContainerMachine, resumeContainer, startContainer } from '../container/container.ts';
import type { KeptDisk } from '../container/image-machine.ts';
import { randomId } from '../docker/names.ts';
import type { RequestOptions } from '../http/client.ts';
import type { HttpRequest } from '../http/request-head.ts';
import type { ProxiedResponse } from '../http/response.ts';
import type {
  BootFigures,
  Connection,
  ContainerProcess,
  MachineStats,
  NetworkStatus,
  Plain,
  PortChange,
} from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { checkHostname } from '../options/check.ts';
import { checkContainerName } from '../options/container-name.mjs';
import type { JitMode } from '../options/jit.mjs';
import { OptionError } from '../options/option-error.mjs';
import { parsePort } from '../options/published-ports.mjs';
import { parseSignal } from '../options/signals.ts';
import { chunks } from '../streams/chunks.ts';
import { streamOf } from '../streams/stream-of.ts';
import { assignmentsOf, Builder, usableSignal } from './builder.ts';
import { type Channel, checkChannelName, SocketChannel } from './channel.ts';
import { type Child, type Output, ProcessChild, type Signal } from './child.ts';
import { type ContainerFs, Files } from './files.ts';
import { containerHost, type Publication, type PublishedPort } from './host.ts';
import type { Keeping, Source } from './kept.ts';
import type { LaunchOptions } from './kept-options.ts';
import type { ImageLocation, LoadedImage } from './load-image.ts';
import type { CommitOptions } from './local-images.ts';
import { machineOf } from './machine-settings.ts';
import type { OpenedSession } from './opened-session.ts';
import { Saving } from './saving.ts';
import type { FoundStart } from './starts.ts';
import { checkStdio, PIPED, type Stdio, type StdioSettings, type Terminal, terminalOf } from './stdio.ts';

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

/** A container from an image, in a machine of its own. */
export class Container extends Builder {
  readonly #image: ImageLocation;
  readonly #options: { entrypoint?: string[]; hostname?: string; init?: boolean } = {};
  readonly #devices: string[] = [];
  readonly #tmpfs: string[] = [];
  readonly #ports: string[] = [];
  #name: string | undefined;
  #isKeepable = false;
  #isFresh = false;
  #onBoot: ((figures: BootFigures) => void) | undefined;
  #onConsole: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;

  /** @param image a reference, or in a browser an image that its user picked */
  constructor(image: ImageLocation) {
    super();
    this.#image = image;
  }

  /** Replaces the entrypoint of the image, and drops its command. */
  entrypoint(program: string | readonly string[]): this {
    this.#options.entrypoint = typeof program === 'string' ? [program] : [...program];
    return this;
  }

  /** Its host name; by default one that is made up. */
  hostname(name: string): this {
    this.#options.hostname = name;
    return this;
  }

  /** Runs the program below a small init, which reaps orphans. */
  init(on = true): this {
    this.#options.init = on;
    return this;
  }

  /** Gives it `/dev/fuse` or `/dev/net/tun`. */
  device(path: string): this {
    this.#devices.push(path);
    return this;
  }

  /** Puts an empty folder in memory at the path. */
  tmpfs(path: string): this {
    this.#tmpfs.push(path);
    return this;
  }

  /** Leads a port of this machine to the container, such as `8080:80`. Only in Node. */
  publish(port: string): this {
    this.#ports.push(port);
    return this;
  }

  /**
   * Keeps its files under a name, of letters, digits, `_`, `.` and `-`. If a stopped container of the image
   * has the name, that one is started again.
   */
  name(name: string): this {
    this.#name = name;
    return this;
  }

  /** Lets `RunningContainer.keep` keep its files later. Until then they are in memory. */
  keepable(on = true): this {
    this.#isKeepable = on;
    return this;
  }

  /** Boots it, even if a start of its image has been saved. */
  fresh(on = true): this {
    this.#isFresh = on;
    return this;
  }

  /** Called when the kernel is up. */
  onBoot(report: (figures: BootFigures) => void): this {
    this.#onBoot = report;
    return this;
  }

  /** Called with the log of the kernel. */
  onConsole(report: (bytes: Uint8Array<ArrayBuffer>) => void): this {
    this.#onConsole = report;
    return this;
  }

  /**
   * Boots a machine and starts the container; resolves when its program runs, or has failed to start.
   * @throws OptionError, ImageError, StorageError, MachineError, or the reason of the signal;
   *   ContainerInUseError if a container of its name runs; ContainerExistsError if one of its name is
   *   suspended, or of another image
   */
  async run(): Promise<RunningContainer> {
    const container = await this.start();
    await container.started;
    return container;
  }

  /**
   * Resolves before the program runs, so that a container that hangs at its start can be ended.
   * @internal
   */
  async start({ jit, savesItself }: InnerOptions = {}): Promise<StartedContainer> {
    const { stdio, terminal, pull: policy, credentials, onProgress, signal } = this.settings;
    const options = this.#launchOptions();
    const image = this.#image;
    const loading = { policy, credentials, onProgress, signal };
    return launch(
      options,
      { stdio, terminal, jit, savesItself, signal, onBoot: this.#onBoot, onConsole: this.#onConsole },
      async () => {
        const findStart = () => this.#findStart(options);
        if (this.#name === undefined)
          return {
            keptDisk: this.#isKeepable ? { disk: randomId(), isDeferred: true } : undefined,
            ...((await findStart()) ?? { image: containerHost().loadImage(image, loading) }),
          };
        const { claimName } = await import('./kept.ts');
        return claimName({ name: this.#name, image, loading, launch: options, findStart });
      },
    );
  }

  /** Finds a saved start of a stored image, unless a newer image is asked for. */
  async #findStart(options: LaunchOptions): Promise<FoundStart | undefined> {
    const { pull = 'missing' } = this.settings;
    if (this.#isFresh || pull === 'always' || typeof this.#image !== 'string') return undefined;
    if (!(await containerHost().hasStarts())) return undefined;
    const [{ findStart }, { nameOf }] = await Promise.all([
      import('./starts.ts'),
      containerHost().openKept(),
    ]);
    return findStart(nameOf(this.#image), options);
  }

  #launchOptions(): LaunchOptions {
    const { args, env, currentDir, user, network = 'internet', readOnly } = this.settings;
    const { cpus, memoryBytes, diskBytes } = machineOf(this.settings);
    return {
      ...this.#options,
      args: args.length === 0 && !this.#options.entrypoint ? undefined : [...args],
      env: assignmentsOf(env),
      currentDir,
      user,
      devices: [...this.#devices],
      readOnly,
      tmpfs: [...this.#tmpfs],
      ports: this.#ports.flatMap(parsePort),
      ...{ cpus, memoryBytes, diskBytes, network },
      terminal: this.settings.terminal !== undefined,
    };
  }
}

/** How this run of a container is connected. */
export interface LiveOptions {
  readonly stdio?: Partial<StdioSettings> | undefined;
  readonly terminal?: Terminal | undefined;
  readonly jit?: JitMode | undefined;
  /** Whether a kept container saves its memory when it rests; by default true. */
  readonly savesItself?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBoot?: ((figures: BootFigures) => void) | undefined;
  readonly onConsole?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
}

/**
 * Boots a machine and starts a container in it.
 * @param open gives the container its image, and its disk if that is kept
 * @internal
 */
export async function launch(
  options: LaunchOptions,
  live: LiveOptions,
  open: () => Promise<Source>,
): Promise<StartedContainer> {
  checkStdio(live.stdio ?? {});
  if (options.hostname !== undefined) checkHostname(options.hostname);
  const { ports, terminal: _, cpus, memoryBytes, diskBytes, network, ...program } = options;
  const machine = machineOf({ cpus, memory: memoryBytes, disk: diskBytes, network });
  const events = new Events();
  const publication = await publish(ports);
  const { terminal, signal } = live;
  let session: OpenedSession | undefined;
  try {
    // Its workers start while the image is loaded.
    const platform = containerHost().createPlatform(cpus);
    const { image, kept: keeping, keptDisk, openSession } = await sourceOf(open, platform);
    session = await openSession?.(await platform.loadEmulator());
    const common = {
      ...machine,
      jit: live.jit,
      image,
      keptDisk,
      platform,
      spare: containerHost().spare,
      store: containerHost().storeFolder,
      onNetwork: (status: NetworkStatus) => {
        events.network = status;
        events.emit('network', status);
      },
      onDiskProblem: (problem: string | undefined) => events.emit('disk', { problem }),
      onConsole: live.onConsole,
      onBoot: live.onBoot,
      signal,
    };
    const container = await (session
      ? resumeContainer({ ...common, session })
      : startContainer({ ...common, ...program, terminal: terminal && terminalOf(terminal) }));
    const kept = await keepFiles(container, keeping, keptDisk?.isDeferred === true);
    publication?.serve(container);
    return new StartedContainer(container, {
      stdio: { ...PIPED, ...live.stdio },
      signal,
      hasTerminal: terminal !== undefined,
      events,
      publication,
      image: await image,
      launch: options,
      keptDisk,
      kept,
      platform,
      session,
      savesItself: live.savesItself ?? true,
    });
  } catch (error) {
    session?.close?.();
    await publication?.end();
    throw error;
  }
}

/** Puts the files of a new container into the store. */
async function keepFiles(
  container: ContainerMachine,
  keeping: Source['kept'],
  isDeferred: boolean,
): Promise<Keeping | undefined> {
  const kept = await keeping;
  if (!kept || !isDeferred) return kept;
  try {
    await container.keepDisk();
    return kept;
  } catch (error) {
    await container.destroy();
    throw error;
  }
}

async function sourceOf(open: () => Promise<Source>, platform: Platform): Promise<Source> {
  try {
    return await open();
  } catch (error) {
    platform.dismiss?.();
    throw error;
  }
}

async function publish(ports: readonly PublishedPort[]): Promise<Publication | undefined> {
  return ports.length === 0 ? undefined : containerHost().publish(ports);
}

type Listener<T> = (event: T) => void;

class Events {
  /** The latest state of the network. */
  network: NetworkStatus | undefined;
  readonly #listeners = new Map<keyof ContainerEvents, Set<Listener<never>>>();

  on<Name extends keyof ContainerEvents>(name: Name, listener: Listener<ContainerEvents[Name]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit<Name extends keyof ContainerEvents>(name: Name, event: ContainerEvents[Name]): void {
    const listeners = this.#listeners.get(name) as Set<Listener<ContainerEvents[Name]>> | undefined;
    for (const listener of listeners ?? []) report(() => listener(event));
  }
}

/** An error of a listener is not the container's. */
function report(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

type InnerOptions = Pick<LiveOptions, 'jit' | 'savesItself'>;

interface StartedOptions {
  readonly stdio: StdioSettings;
  readonly signal: AbortSignal | undefined;
  readonly hasTerminal: boolean;
  readonly events: Events;
  readonly publication: Publication | undefined;
  readonly image: LoadedImage;
  readonly launch: LaunchOptions;
  readonly keptDisk: KeptDisk | undefined;
  readonly kept: Keeping | undefined;
  readonly platform: Platform;
  /** From which it goes on. */
  readonly session: OpenedSession | undefined;
  readonly savesItself: boolean;
}

/** The part of an unfinished line of messages that is kept. */
const LONGEST_LINE = 4096;
/** The time in which a working kernel carries out SIGKILL, in ms. */
const KILL_GRACE = 1000;
/** The status of a container whose machine has failed. */
const STATUS_FAILURE = 125;
const noHold = () => () => {};

/** Also has methods that only programs of our own need. */
export class StartedContainer implements RunningContainer {
  readonly image: LoadedImage;
  readonly launch: LaunchOptions;
  readonly fs: ContainerFs;
  readonly published: readonly PublishedPort[];
  readonly currentDir: string;
  readonly stdin: Child['stdin'];
  readonly stdout: Child['stdout'];
  readonly stderr: Child['stderr'];
  readonly started: Promise<boolean>;
  readonly #container: ContainerMachine;
  readonly #child: ProcessChild;
  readonly #events: Events;
  readonly #publication: Publication | undefined;
  readonly #keptDisk: KeptDisk | undefined;
  readonly resumed: readonly Child[];
  readonly annotation: Plain | undefined;
  readonly #saving: Saving;
  readonly #autoSave: AutoSave;
  readonly #savesItself: boolean;
  #lastInput = 0;
  #kept: Keeping | undefined;
  /** Its record, if it is not kept any more. */
  #forgotten: Keeping | undefined;
  #destroyed: Promise<void> | undefined;
  /** Settles when the machine has ended. */
  readonly #ended: Promise<unknown>;
  readonly #channels = new Map<string, Channel>();
  #watchesPorts = false;

  constructor(container: ContainerMachine, options: StartedOptions) {
    const { stdio, signal, hasTerminal, events, publication, image, launch, keptDisk, kept } = options;
    const { platform, session, savesItself } = options;
    this.#savesItself = savesItself;
    this.fs = new Files(container);
    this.published = publication?.ports ?? [];
    this.currentDir = container.currentDir;
    this.image = image;
    this.launch = launch;
    this.#kept = kept;
    this.#keptDisk = keptDisk;
    this.#container = container;
    this.#events = events;
    this.#publication = publication;
    const [messages, told] = container.messages.tee();
    const { stdin, stdout, stderr, started, exit } = container;
    const process: ContainerProcess = {
      ...{ stdin, stdout, stderr, messages, started, exit },
      kill: (signal) => container.kill(signal),
      killAll: () => container.killAll(),
      resize: (columns, rows) => container.resize(columns, rows),
    };
    this.#child = new ProcessChild(Promise.resolve({ process, hold: noHold }), {
      stdio,
      signal,
      hasTerminal,
      onInput: this.#onInput,
    });
    this.resumed = container.resumed.map((process) => this.#childOf(process));
    this.annotation = session?.annotation;
    this.#saving = new Saving(
      { container, platform, image, launch, kept: () => this.#kept },
      session?.origin,
    );
    this.#autoSave = new AutoSave({
      instructions: () => container.stats().instructions.reduce((sum, each) => sum + each, 0),
      lastInput: () => this.#lastInput,
      save: () => this.save(),
    });
    if (kept && savesItself) this.#startSaving();
    else this.#saving.close();
    this.stdin = this.#child.stdin;
    this.stdout = this.#child.stdout;
    this.stderr = this.#child.stderr;
    this.started = this.#child.started;
    // Code that has just got the container can listen before the first message.
    const tell = () => this.#tell(told);
    void this.started.then(tell, tell);
    this.#ended = container
      .settle()
      .catch(() => {})
      .finally(() => this.destroy());
    void this.#ended.finally(() => this.#saving.close());
    const ended = (status: number) => {
      this.#autoSave.stop();
      if (this.#saving.isSuspended) return;
      this.#kept?.end(status);
      events.emit('exit', { status });
    };
    container.exit.then(ended, () => ended(STATUS_FAILURE));
  }

  exec(args: readonly string[], options: ExecOptions = {}): Child {
    const { env = {}, currentDir, user, terminal } = options;
    const signal = usableSignal(options.signal);
    const { stdin = 'piped', stdout = 'piped', stderr = 'piped' } = options;
    const stdio = { stdin, stdout, stderr };
    const start = async () => {
      checkStdio(stdio);
      if (!Array.isArray(args) || args.length === 0)
        throw new OptionError('exec takes a list of a program and its arguments');
      const process = this.#container.exec({
        args,
        env: assignmentsOf(Object.entries(env)),
        currentDir,
        user,
        terminal: terminal && terminalOf(terminal),
      });
      return { process, hold: noHold };
    };
    const hasTerminal = terminal !== undefined;
    return new ProcessChild(start(), { stdio, signal, hasTerminal, onInput: this.#onInput });
  }

  #childOf(process: ContainerProcess): Child {
    const started = Promise.resolve({ process, hold: noHold });
    return new ProcessChild(started, { stdio: PIPED, onInput: this.#onInput });
  }

  readonly #onInput = () => {
    this.#lastInput = performance.now();
  };

  proxyRequest(request: HttpRequest, options?: RequestOptions): Promise<ProxiedResponse> {
    return this.#container.proxyRequest(request, options);
  }

  connect(port: number, options?: { readonly signal?: AbortSignal }): Promise<Connection> {
    return this.#container.connect(port, options);
  }

  on<Name extends keyof ContainerEvents>(
    name: Name,
    listener: (event: ContainerEvents[Name]) => void,
  ): () => void {
    if (name === 'port' && !this.#watchesPorts) void this.#watchPorts();
    const { network } = this.#events;
    if (name === 'network' && network) (listener as Listener<NetworkStatus>)(network);
    return this.#events.on(name, listener);
  }

  channel(name: string): Channel {
    checkChannelName(name);
    const open = this.#channels.get(name);
    if (open) return open;
    const { clients, close } = this.#container.listen(name);
    const channel = new SocketChannel({
      clients,
      close: () => {
        this.#channels.delete(name);
        close();
      },
    });
    this.#channels.set(name, channel);
    return channel;
  }

  get name(): string | undefined {
    return this.#kept?.name;
  }

  /** Its record, if it is kept. */
  get kept(): Keeping | undefined {
    return this.#kept;
  }

  async keep(name: string): Promise<void> {
    checkContainerName(name);
    if (this.#kept) throw new OptionError(`the container is kept already, as "${this.#kept.name}"`);
    if (this.#forgotten) {
      await this.#forgotten.rename(name);
      this.#kept = this.#forgotten;
      this.#forgotten = undefined;
      return;
    }
    if (!this.#keptDisk) throw new OptionError('only a container that was made keepable can be kept');
    const [{ keep }, { store }] = await Promise.all([import('./kept.ts'), containerHost().openKept()]);
    const { disk } = this.#keptDisk;
    const kept = await keep(store, { name, disk, image: this.image, launch: this.launch });
    try {
      await this.#container.keepDisk();
    } catch (error) {
      await kept.close();
      await store.containers.remove(name);
      throw error;
    }
    this.#kept = kept;
    if (this.#savesItself) this.#startSaving();
    void this.#ended.then(() => kept.close());
  }

  #startSaving(): void {
    this.#saving.prepare();
    this.#autoSave.start();
  }

  async unkeep(): Promise<void> {
    const kept = this.#kept;
    this.#autoSave.stop();
    await kept?.forget();
    this.#forgotten ??= kept;
    this.#kept = undefined;
  }

  /** Whether it stands still for good, so that only its saved session goes on. */
  get isSuspended(): boolean {
    return this.#saving.isSuspended;
  }

  annotate(annotate: () => Plain | Promise<Plain>): void {
    this.#saving.annotate = annotate;
  }

  async save({ isLeaving }: SaveOptions = {}): Promise<void> {
    await this.#tellSaved(() => this.#saving.save(isLeaving));
  }

  async suspend(): Promise<void> {
    await this.#tellSaved(() => this.#saving.suspend());
    await this.destroy();
  }

  async #tellSaved(save: () => Promise<void>): Promise<void> {
    try {
      await save();
      this.#autoSave.saved();
      this.#events.emit('saved', { problem: undefined });
    } catch (error) {
      this.#events.emit('saved', { problem: error instanceof Error ? error : new Error(String(error)) });
      throw error;
    }
  }

  saveStart(): Promise<void> {
    return this.#saving.saveStart();
  }

  exportSession(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return streamOf(this.#saving.write());
  }

  async rename(name: string): Promise<void> {
    if (!this.#kept) throw new OptionError('the container is not kept: keep it under the name');
    await this.#kept.rename(name);
  }

  exportChanges(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return this.#container.exportChanges();
  }

  async commit(image: string, options: CommitOptions = {}): Promise<string> {
    const [{ commitImage }, { recordOfImage }, places] = await Promise.all([
      import('./local-images.ts'),
      import('./kept.ts'),
      containerHost().openKept(),
    ]);
    const base = this.#kept?.container.record ?? (await recordOfImage(places.store, this.image));
    return commitImage(async () => chunks(await this.exportChanges()), base, image, options, places);
  }

  async stats(): Promise<Stats> {
    const { instructions, seconds } = this.#container.stats();
    const { memory, disk, cpu } = await this.#container.usage();
    const { totalBytes, availableBytes } = memory;
    const busy = (cpu.uptime * instructions.length - cpu.idle) / 1000;
    const { received, sent } = this.#events.network ?? { received: 0, sent: 0 };
    const sum = instructions.reduce((sum, each) => sum + each, 0);
    return {
      memory: { totalBytes, usedBytes: totalBytes - availableBytes },
      cpu: { uptime: seconds, busy, instructions: sum },
      disk,
      network: { receivedBytes: received, sentBytes: sent },
    };
  }

  async stop({ signal, seconds }: StopOptions = {}): Promise<number> {
    await this.#container.stop({
      signal: signal === undefined ? undefined : parseSignal(String(signal)),
      grace: seconds === undefined ? undefined : seconds * 1000,
    });
    return this.wait();
  }

  /**
   * Asks the program to end, and hangs up its terminal if it does not handle the signal. Interactive shells
   * ignore SIGTERM, but end then.
   */
  askToEnd(signal: number): void {
    this.#container.askToEnd(signal);
  }

  /** What its CPUs and the compiler have done, also after its end. */
  machineStats(): MachineStats {
    return this.#container.stats();
  }

  /** Stops its machine, whatever still runs in it. */
  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    // Connections pass on the last bytes of the machine.
    await this.#publication?.end();
    await this.#container.destroy();
  }

  wait(): Promise<number> {
    return this.#child.wait();
  }

  waitWithOutput(): Promise<Output> {
    return this.#child.waitWithOutput();
  }

  kill(signal?: Signal): Promise<void> {
    return this.#child.kill(signal);
  }

  resize(columns: number, rows: number): void {
    this.#child.resize(columns, rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.kill();
    // A kernel that hangs does not even carry out SIGKILL.
    const timer = setTimeout(() => this.#container.destroy(), KILL_GRACE);
    await this.#ended.finally(() => clearTimeout(timer));
  }

  async #tell(messages: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const bytes of chunks(messages)) {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
        rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
        for (const text of lines) this.#events.emit('message', { text });
      }
    } catch {
      // The machine has failed, which `wait` tells.
    }
  }

  async #watchPorts(): Promise<void> {
    this.#watchesPorts = true;
    try {
      for await (const change of chunks(this.#container.ports)) this.#events.emit('port', change);
    } catch {
      // The machine has failed, which `wait` tells.
    }
  }
}
