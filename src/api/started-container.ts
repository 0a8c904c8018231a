import { AutoSave } from '../container/auto-save.ts';
import type { ContainerMachine } from '../container/container.ts';
import type { KeptDisk } from '../container/image-machine.ts';
import type { RequestOptions } from '../http/client.ts';
import type { HttpRequest } from '../http/request-head.ts';
import type { ProxiedResponse } from '../http/response.ts';
import type { Connection, ContainerProcess, MachineStats, NetworkStatus, Plain } from '../machine/machine.ts';
import type { Platform } from '../machine/platform/platform.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { OptionError } from '../options/option-error.mjs';
import { platformOf } from '../options/platform.mjs';
import { parseSignal } from '../options/signals.ts';
import { chunks } from '../streams/chunks.ts';
import { streamOf } from '../streams/stream-of.ts';
import { assignmentsOf, usableSignal } from './builder.ts';
import { type Channel, checkChannelName, SocketChannel } from './channel.ts';
import { type Child, type Output, ProcessChild, type Signal } from './child.ts';
import type { Events, Listener } from './container-events.ts';
import { type ContainerFs, Files } from './files.ts';
import { containerHost, type Publication, type PublishedPort } from './host.ts';
import type { Keeping } from './kept.ts';
import type { LaunchOptions } from './kept-options.ts';
import type { LoadedImage } from './load-image.ts';
import type { CommitOptions } from './local-images.ts';
import type { OpenedSession } from './opened-session.ts';
import type {
  ContainerEvents,
  ExecOptions,
  RunningContainer,
  SaveOptions,
  Stats,
  StopOptions,
} from './running-container.ts';
import { Saving } from './saving.ts';
import { checkStdio, PIPED, type StdioSettings, terminalOf } from './stdio.ts';

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
/** The status of a container whose machine has failed. */
const STATUS_FAILURE = 125;
const noHold = () => () => {};

/** Also has methods that only programs of our own need. */
export class StartedContainer implements RunningContainer {
  readonly image: LoadedImage;
  readonly platform: string;
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
    this.fs = new Files(container.files);
    this.published = publication?.ports ?? [];
    this.currentDir = container.currentDir;
    this.image = image;
    this.platform = platformOf(image.config.architecture);
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
    await this.#ended;
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
