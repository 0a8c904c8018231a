import { type ProxyMarked, proxy } from 'comlink';
import { BrowserFolder } from '../../api/browser-folder.ts';
import { loadingHere } from '../../api/browser-images.ts';
import { browserLibrary } from '../../api/browser-library.ts';
import { Container } from '../../api/container.ts';
import { ContainerInUseError, ImageError, MachineError } from '../../api/errors.ts';
import { installHost } from '../../api/host.ts';
import * as containers from '../../api/kept-containers.ts';
import type { LoadedImage } from '../../api/load-image.ts';
import { type Preparation, prepareMachine } from '../../api/machine-files.ts';
import type { RunningContainer } from '../../api/running-container.ts';
import { toRecord } from '../../options/assignments.mjs';
import { formatPort } from '../../options/published-ports.mjs';
import { Previews } from '../../preview/previews.ts';
import { messageOf } from '../../text/message.ts';
import { readView, writeView } from '../model/saved-view.ts';
import { BrowserFolders } from './browser-folders.ts';
import { ContainerFiles } from './container-files.ts';
import { ContainerProcesses } from './container-processes.ts';
import { Throttle } from './events.ts';
import { KeptContainers } from './kept.ts';
import type {
  Failure,
  Figures,
  FurtherTerminalClient,
  ImageRequest,
  Inspection,
  KeptRequest,
  Prepared,
  ProjectFiles,
  SessionClient,
  SessionEvent,
  SessionPlace,
  SessionRequest,
  SharedProject,
  ShownView,
  TerminalSize,
} from './messages.ts';
import { PortReports } from './port-reports.ts';
import { NOT_SAVED, SAVED } from './save-flag.ts';
import { credentialsOf, locationOf, networkOf, sessionHost } from './session-host.ts';
import { openSource } from './session-source.ts';
import type { TerminalProcess } from './terminal-process.ts';
import { OWN, TerminalProcesses } from './terminal-processes.ts';

/** The size until the terminal is laid out. */
const FIRST_SIZE: TerminalSize = { columns: 80, rows: 24 };
/** How long the worker of a page that was loaded anew may hold its container, in ms. */
const PATIENCE = 3000;
const RETRY = 50;
/** The best shell that the image has. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];

/** One image, its machine and its container, in a worker that lives as long as they do. */
export class Session {
  /** @throws MachineError, from all its methods, when the container has ended */
  readonly files = proxy(new ContainerFiles(() => this.#running));
  readonly processes = proxy(new ContainerProcesses(() => this.#running));
  readonly containers = proxy(new KeptContainers());
  readonly folders = proxy(new BrowserFolders());
  readonly #abort = new AbortController();
  #run: Promise<void> | undefined;
  /** Settles when nothing is written any more for the image. */
  #image: Promise<LoadedImage> | undefined;
  #container: RunningContainer | undefined;
  #previews: Previews | undefined;
  readonly #terminals = new TerminalProcesses();
  #size: TerminalSize | undefined;
  /** What was typed before the container exists. */
  readonly #typed: Uint8Array[] = [];
  #inspecting = new AbortController();
  /** What the page shows, as it has said for the save that is being made. */
  #view: ShownView | undefined;
  #onView = (_view: ShownView) => {};
  #keeping = Promise.resolve();
  /** Settles when it is suspended, once that has been asked for. */
  #suspension: Promise<void> | undefined;
  #prepared: Preparation | undefined;
  #openExpected = () => {};

  /** Starts what most runs need, so that one that follows starts sooner. */
  prepare({ base, emulator, booted, relay }: Prepared): void {
    this.#prepared ??= prepareMachine(base, emulator, booted, networkOf({ base, relay }));
    this.#openExpected();
  }

  /** Looks a stored image up that will probably be run. Asks nobody about it, and runs nothing. */
  async expect(reference: string, platform: ImageRequest['platform']): Promise<void> {
    const stored = await browserLibrary.openStore().images.get(reference, platform);
    this.#expect((spare) => stored && spare.expect(stored.layers, stored.architecture ?? 'riscv64'));
  }

  #expect(open: (spare: NonNullable<Preparation['spare']>) => void): void {
    this.#openExpected = () => {
      if (this.#prepared?.spare) open(this.#prepared.spare);
    };
    this.#openExpected();
  }

  /** Shows the page that the worker is not stuck. */
  answer(): void {}

  /** Runs a container to its end. Reports everything by events, failures too. */
  run(request: SessionRequest, client: SessionClient): Promise<void> {
    this.stopInspecting();
    this.#run = this.#runToEnd(request, client);
    return this.#run;
  }

  /** Asks the source of an image about it, which is probably run. Another call, or the run, ends this one. */
  async inspect(request: ImageRequest): Promise<Inspection> {
    this.stopInspecting();
    this.#inspecting = new AbortController();
    const { base, platform } = request;
    const options = { platform, credentials: credentialsOf(request), signal: this.#inspecting.signal };
    try {
      const loading = loadingHere({ assets: base, server: base });
      const inspection = await loading.inspectSource(locationOf(request), options);
      this.#expect((spare) => spare.expectPrograms(inspection.config.architecture));
      return inspection;
    } catch (error) {
      return { failure: failureOf(error) };
    }
  }

  stopInspecting(): void {
    this.#inspecting.abort(new DOMException('cancelled', 'AbortError'));
  }

  /** Cancels the session. Resolves when only complete layers are left of it. */
  async cancel(): Promise<void> {
    this.#abort.abort(new DOMException('cancelled', 'AbortError'));
    await this.#run;
    await this.#image?.catch(() => {});
  }

  /** Takes the user's input in the first terminal. */
  write(bytes: Uint8Array): void {
    const terminal = this.#terminals.get(OWN);
    if (terminal) terminal.write(bytes);
    else this.#typed.push(bytes);
  }

  /** Changes the size of the first terminal. */
  resize(size: TerminalSize): void {
    this.#size = size;
    this.#terminals.get(OWN)?.resize(size);
  }

  /**
   * Starts a shell in its own terminal.
   * @param number the shell's number from now on
   * @throws MachineError when the container has ended
   */
  openTerminal(number: number, client: FurtherTerminalClient): TerminalProcess & ProxyMarked {
    const process = this.#running.exec(SHELL, { terminal: FIRST_SIZE });
    return this.#watch(this.#terminals.add(number, process, client, messagesFor(client)), client);
  }

  /** Takes up a process that went on with the container. Returns undefined if it has ended. */
  attachTerminal(number: number, client: FurtherTerminalClient): (TerminalProcess & ProxyMarked) | undefined {
    const terminal = this.#terminals.attach(number, client, messagesFor(client));
    return terminal && this.#watch(terminal, client);
  }

  /** Makes a save with what the page shows. */
  async #withView<T>(view: ShownView, save: () => Promise<T>): Promise<T> {
    this.#terminals.hold();
    this.#view = view;
    this.#onView(view);
    try {
      return await save();
    } finally {
      this.#view = undefined;
    }
  }

  /** Asks what the page shows. Its thread may be waiting for a save, and cannot answer then. */
  async #askForView(client: SessionClient): Promise<ShownView> {
    if (this.#view) return this.#view;
    const given = new Promise<ShownView>((resolve) => {
      this.#onView = resolve;
    });
    return Promise.race([client.view(), given]);
  }

  #watch(terminal: TerminalProcess, client: FurtherTerminalClient): TerminalProcess & ProxyMarked {
    // The first terminal tells the page when the machine fails.
    terminal.ended.then(client.onEnd).catch(() => {});
    return proxy(terminal);
  }

  /** Keeps the container's files under a name. @throws ContainerExistsError, StorageError */
  keep(name: string): Promise<void> {
    this.#keeping = this.#running.keep(name);
    return this.#keeping;
  }

  /** Leaves nothing of the container in the store when it ends. */
  unkeep(): Promise<void> {
    return this.#running.unkeep();
  }

  /** Saves the session of a kept container, which goes on. @throws StorageError, MachineError */
  save(view: ShownView, isLeaving = false): Promise<void> {
    return this.#withView(view, () => this.#running.save({ isLeaving }));
  }

  /** Saves the session while the page's thread waits for the flag to change from SAVING. */
  async saveNow(view: ShownView, flag: Int32Array): Promise<void> {
    // It may be about to be kept, or to be suspended.
    const saving = this.#suspension ?? this.#keeping.then(() => this.save(view, true));
    const isSaved = await saving.then(
      () => true,
      () => false,
    );
    Atomics.store(flag, 0, isSaved ? SAVED : NOT_SAVED);
  }

  /** Saves the session and ends its machine. @throws StorageError, MachineError; then it goes on */
  async suspend(view: ShownView): Promise<void> {
    this.#suspension = this.#withView(view, () => this.#running.suspend());
    try {
      await this.#suspension;
    } catch (error) {
      this.#suspension = undefined;
      throw error;
    }
  }

  /** Lets later containers of the image begin where this one is. @throws StorageError, MachineError */
  saveStart(view: ShownView): Promise<void> {
    return this.#withView(view, () => this.#running.saveStart());
  }

  /** Returns the session as a file, for another browser or for Node. @throws MachineError */
  exportSession(view: ShownView): Promise<Blob> {
    return this.#withView(view, () => new Response(this.#running.exportSession()).blob());
  }

  /**
   * Connects the preview of a port with its server.
   * @param page the URL of the page
   * @param id the session's, in the origins of its previews
   * @param bridge a port to the preview's bridge
   * @throws MachineError when the container has ended
   */
  openPreview(port: number, page: string, id: string, bridge: MessagePort): void {
    const container = this.#running;
    this.#previews ??= new Previews(
      (port, signal) => container.connect(port, signal && { signal }),
      new URL(page),
      id,
    );
    this.#previews.open(port, bridge);
  }

  closePreview(port: number): void {
    this.#previews?.close(port);
  }

  /** Asks the container to end, and kills it if it does not end in time. */
  stop(): void {
    // Its end is reported by an event.
    this.#container?.stop().catch(() => {});
  }

  kill(): void {
    void this.#container?.kill();
  }

  async figures(): Promise<Figures | undefined> {
    return this.#container?.stats();
  }

  get #running(): RunningContainer {
    if (!this.#container) throw new MachineError('the container has ended');
    return this.#container;
  }

  async #runToEnd(request: SessionRequest, client: SessionClient): Promise<void> {
    const events = new Throttle((event) => void client.onEvent(event));
    try {
      const container = await this.#start(request, client, events);
      const status = await this.#converse(container, client, events);
      if (!this.#suspension) events.send({ type: 'exit', status });
    } catch (error) {
      this.#abort.abort(error);
      if (!this.#suspension) events.send({ type: 'failed', failure: failureOf(error) });
    } finally {
      this.#previews?.end();
    }
  }

  async #start(request: SessionRequest, client: SessionClient, events: Throttle): Promise<RunningContainer> {
    installHost(
      sessionHost(request, client, {
        prepared: this.#prepared,
        onImage: (image) => {
          this.#image = image;
          image.then(
            () => events.send({ type: 'image-ready' }),
            () => {},
          );
        },
      }),
    );
    const { kept, project } = request;
    const { signal } = this.#abort;
    const onLessMemory = (bytes: number) => events.send({ type: 'less-memory', bytes });
    const onBoot = () => events.send({ type: 'booted' });
    if (kept && !project) return startKept(kept, { terminal: FIRST_SIZE, signal, onLessMemory }, events.send);
    const container = containerOf(request);
    if (kept) container.name(kept.name);
    else container.keepable();
    if (project?.shared) await this.#shareProject(container, project, project.shared);
    else if (project) container.files(project);
    return container
      .terminal(FIRST_SIZE)
      .onProgress(events.send)
      .onBoot(onBoot)
      .onLessMemory(onLessMemory)
      .signal(signal)
      .run();
  }

  /** Shares a folder of the browser that has a project with its container. A new one gets the files first. */
  async #shareProject(
    container: Container,
    { folder, files }: ProjectFiles,
    { name, manifest }: SharedProject,
  ): Promise<void> {
    await this.folders.seed(name, { files, manifest });
    container.mount(folder, new BrowserFolder(name));
  }

  /** Connects the container with the page until it ends. @returns its status */
  async #converse(container: RunningContainer, client: SessionClient, events: Throttle): Promise<number> {
    this.#container = container;
    events.send({ type: 'platform', platform: container.platform });
    const onMessage = (bytes: Uint8Array) =>
      events.send({ type: 'message', text: new TextDecoder().decode(bytes) });
    const terminal = this.#takeUp(container, client, events, onMessage);
    container.started.then(
      (runs) => runs && events.send({ type: 'started' }),
      () => {},
    );
    const ports = new PortReports((change) => events.send({ type: 'port', ...change }));
    container.on('port', ports.note);
    container.on('network', (status) => events.send({ type: 'network', status }));
    container.on('disk', ({ problem }) => events.send({ type: 'disk', problem }));
    container.on('saved', ({ problem }) =>
      events.send({ type: 'saved', problem: problem && failureOf(problem) }),
    );
    container.annotate(async () => {
      this.#terminals.hold();
      return writeView(this.#terminals.save(await this.#askForView(client)));
    });
    // The size may have changed during the boot, and the user may have typed.
    if (this.#size) terminal.resize(this.#size);
    for (const bytes of this.#typed.splice(0)) terminal.write(bytes);
    try {
      return await terminal.ended;
    } finally {
      this.#container = undefined;
      ports.end();
      await container[Symbol.asyncDispose]();
    }
  }

  /** Shows the container's own process, and what the page showed when it was saved. */
  #takeUp(
    container: RunningContainer,
    client: SessionClient,
    events: Throttle,
    onMessage: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): TerminalProcess {
    const { annotation, resumed } = container;
    if (annotation) {
      const view = readView(annotation);
      this.#terminals.resume(view, [container, ...resumed]);
      events.send({ type: 'resumed', view });
    }
    return (
      this.#terminals.attach(OWN, client, onMessage) ?? this.#terminals.add(OWN, container, client, onMessage)
    );
  }
}

/** What `KeptRequest.resumes` is for `containers.start`. */
const RESUME: Record<string, boolean | undefined> = { always: true, true: undefined, false: false };

/** Starts a kept container. One that the worker of a page before holds is waited for. */
async function startKept(
  { name, resumes, file }: KeptRequest,
  options: containers.StartOptions,
  send: (event: SessionEvent) => void,
): Promise<RunningContainer> {
  if (file) return openFile(file, { ...options, name, onProgress: send });
  const deadline = performance.now() + PATIENCE;
  for (;;)
    try {
      const { saved, wasCutOff } = (resumes && (await containers.get(name))) || {};
      const container = await containers.start(name, { ...options, resume: RESUME[String(resumes)] });
      const goesOn = container.annotation !== undefined;
      if (saved && wasCutOff) send({ type: 'cut-off', saved: saved.getTime(), goesOn });
      return container;
    } catch (error) {
      if (!(error instanceof ContainerInUseError) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
}

async function openFile(
  place: SessionPlace,
  options: containers.OpenSessionOptions,
): Promise<RunningContainer> {
  const { stream, close } = await openSource(place);
  try {
    return await containers.openSession(stream, options);
  } catch (error) {
    close();
    throw error;
  }
}

/** Shows the agent's lines about a further process in its terminal. */
function messagesFor(client: FurtherTerminalClient) {
  return (lines: Uint8Array<ArrayBuffer>) => client.onOutput(forTerminal(lines));
}

function containerOf(request: SessionRequest): Container {
  const { platform, entrypoint, args, env, workdir, ports, memoryBytes, cpus, diskBytes } = request;
  const { init, devices, hasNetwork } = request;
  const container = new Container(locationOf(request))
    .memory(memoryBytes)
    .cpus(cpus)
    .disk(diskBytes)
    .init(init)
    .network(hasNetwork ? 'internet' : 'none')
    .pull(request.wantsNewest ? 'always' : 'missing');
  if (platform) container.platform(platform);
  if (entrypoint) container.entrypoint(entrypoint);
  if (args) container.args(args);
  if (workdir !== undefined) container.currentDir(workdir);
  for (const port of ports) container.publish(formatPort(port));
  for (const device of devices) container.device(device);
  for (const { source, path, mayWrite } of request.folders)
    container.mount(path, source.kind === 'picked' ? source.handle : new BrowserFolder(source.name), {
      readOnly: !mayWrite,
    });
  container.envs(toRecord(env));
  const credentials = credentialsOf(request);
  return credentials ? container.credentials(credentials) : container;
}

function failureOf(error: unknown): Failure {
  const name = error instanceof Error || error instanceof DOMException ? error.name : 'Error';
  const { kind, choices } = error instanceof ImageError ? error : {};
  const { log } = error instanceof MachineError ? error : {};
  return { name, message: messageOf(error), ...(kind && { kind, choices }), ...(log && { log }) };
}

/** Adds the carriage returns that a terminal needs. */
function forTerminal(lines: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(new TextDecoder().decode(lines).replaceAll('\n', '\r\n'));
}
