import { proxy, type Remote, transfer, wrap } from 'comlink';
import { previewOrigin } from '../../preview/names.ts';
import type { Project } from '../model/project.ts';
import { Bridge } from './bridge.ts';
import type { BrowserFolders } from './browser-folders.ts';
import type { KeptContainers } from './kept.ts';
import { BASE, machineFiles } from './machine-files.ts';
import type {
  FurtherTerminalClient,
  ImageRequest,
  Inspection,
  KeptItem,
  SessionClient,
  SessionEvent,
  SessionRequest,
  ShownView,
} from './messages.ts';
import { SAVED, SAVING } from './save-flag.ts';
import type { Session } from './session.ts';
import type { TerminalProcess } from './terminal-process.ts';
import { Watch } from './watch.ts';

/** The longest wait for the end of a session before its worker is terminated, in ms. */
const PATIENCE = 2000;

/** The longest wait for the end of a container that was killed, in ms. */
const GRACE = 10_000;

/**
 * The time for the worker's own workers to end, in ms. Chromium never ends a worker terminated before that.
 */
const REST = 1000;

/** An image by its canonical reference. */
interface ExpectedImage extends Pick<ImageRequest, 'platform'> {
  readonly reference: string;
}

interface SessionWorker {
  readonly worker: Worker;
  /** The only proxy of the session: comlink closes the worker's end when a proxy is collected. */
  readonly session: Remote<Session>;
}

let spare: SessionWorker | undefined;
/** All that have not ended. */
const workers = new Set<Worker>();
/** The image that the form names, if it is stored. */
let expected: ExpectedImage | undefined;

function createWorker(): SessionWorker {
  // Vite finds a worker's code by an expression of this form.
  const worker = new Worker(new URL('./session-worker.ts', import.meta.url), {
    type: 'module',
    name: 'session',
  });
  workers.add(worker);
  return { worker, session: wrap<Session>(worker) };
}

function terminate(worker: Worker): void {
  worker.terminate();
  workers.delete(worker);
}

/** Ends all threads of all sessions. */
export function endThreads(): void {
  for (const worker of workers) terminate(worker);
}

/** The machine's files that the page's sessions have used so far. */
export const usedFiles = () => machineFiles.used;

/**
 * Loads everything that the next session needs, so that it starts at once. Resolves when that is there.
 * @param relay as in `SessionRequest`
 */
export async function prepareSession(relay: string): Promise<void> {
  spare ??= createWorker();
  const { session } = spare;
  await machineFiles.preload();
  try {
    const booted = await machineFiles.booted().catch(() => undefined);
    const emulator = await machineFiles.emulator();
    // A run has begun without them, and has workers of its own.
    if (spare?.session !== session) return;
    await session.prepare({ base: BASE, emulator, booted, relay });
    if (expected !== undefined) await session.expect(expected.reference, expected.platform);
  } catch {
    // The session loads what is missing when it runs.
  }
}

/** Asks the source of an image about it, in the worker of the next session. */
export function inspectImage(request: Omit<ImageRequest, 'base'>, signal: AbortSignal): Promise<Inspection> {
  spare ??= createWorker();
  const { session } = spare;
  signal.addEventListener('abort', () => void session.stopInspecting(), { once: true });
  return session.inspect({ ...request, base: BASE });
}

/** Looks a stored image up in the worker of the next session, because it will probably be run. */
export function expectImage(image: ExpectedImage): void {
  expected = image;
  spare?.session.expect(image.reference, image.platform).catch(() => {});
}

/** Lists the kept containers, in the worker of the next session. */
export async function listContainers(): Promise<KeptItem[]> {
  spare ??= createWorker();
  return spare.session.containers.list();
}

/** Reads the project in an archive, if it is one, in the worker of the next session. */
export function readProject(archive: Blob): Promise<Project | undefined> {
  spare ??= createWorker();
  return spare.session.containers.readProject(archive);
}

/** Fetches the project at an address, in the worker of the next session. */
export function fetchProject(url: URL): Promise<Project> {
  spare ??= createWorker();
  return spare.session.containers.fetchProject(url.href, BASE);
}

/** Does something with the kept containers, in a worker of its own. */
export async function withContainers<T>(
  action: (containers: Remote<KeptContainers>) => Promise<T>,
): Promise<T> {
  const { worker, session } = createWorker();
  try {
    await session.containers.use(BASE);
    return await action(session.containers);
  } finally {
    setTimeout(() => terminate(worker), REST);
  }
}

/** Does something with the folders that the browser keeps, in a worker of its own. */
export async function withFolders<T>(action: (folders: Remote<BrowserFolders>) => Promise<T>): Promise<T> {
  const { worker, session } = createWorker();
  try {
    return await action(session.folders);
  } finally {
    setTimeout(() => terminate(worker), REST);
  }
}

function furtherClient(onOutput: FurtherTerminalClient['onOutput'], onEnd: (status: number) => void) {
  return proxy({ onOutput, onEnd: async (status: number) => onEnd(status) });
}

/** The page's end of a session. */
export class Connection {
  readonly #worker: Worker;
  readonly #session: Remote<Session>;
  readonly #relay: string;
  #hasEnded = false;
  /** Resolves at the session's last event. */
  readonly #ended: Promise<void>;
  readonly #watch: Watch;

  constructor(
    request: Omit<SessionRequest, 'base'>,
    onEvent: (event: SessionEvent) => void,
    onOutput: SessionClient['onOutput'],
    view?: () => ShownView,
  ) {
    const { worker, session } = spare ?? createWorker();
    spare = undefined;
    this.#worker = worker;
    this.#session = session;
    this.#relay = request.relay;
    let resolveEnded = () => {};
    this.#ended = new Promise((resolve) => {
      resolveEnded = resolve;
    });
    this.#worker.onerror = ({ message }) => {
      // The worker is missing if its code could not be loaded.
      const missing = { name: 'MachineError', message: 'cannot load the code of a session' };
      onEvent({ type: 'failed', failure: message ? { name: 'Error', message } : missing });
    };
    const client = proxy({
      onEvent: async (event: SessionEvent) => {
        if (event.type === 'exit' || event.type === 'failed') {
          this.#hasEnded = true;
          resolveEnded();
        }
        onEvent(event);
      },
      onOutput,
      view: async () => {
        if (!view) throw new Error('nothing of this container is saved');
        return view();
      },
      emulator: () => machineFiles.emulator(),
      machineFile: (path: string) => machineFiles.file(path),
    });
    this.#session.run({ ...request, base: BASE }, client).catch((error: Error) => {
      // The request could not be sent.
      onEvent({ type: 'failed', failure: { name: error.name, message: error.message } });
    });
    this.#watch = new Watch(
      () => this.#session.answer(),
      (isSilent) => onEvent({ type: isSilent ? 'silent' : 'answering' }),
    );
  }

  get session(): Remote<Session> {
    return this.#session;
  }

  /** Starts another shell. @throws the errors of `Session.openTerminal` */
  openTerminal(
    number: number,
    onOutput: FurtherTerminalClient['onOutput'],
    onEnd: (status: number) => void,
  ): Promise<Remote<TerminalProcess>> {
    return this.#session.openTerminal(number, furtherClient(onOutput, onEnd));
  }

  /** Takes up a shell of a resumed session. Resolves to undefined if it has ended. */
  attachTerminal(
    number: number,
    onOutput: FurtherTerminalClient['onOutput'],
    onEnd: (status: number) => void,
  ): Promise<Remote<TerminalProcess> | undefined> {
    return this.#session.attachTerminal(number, furtherClient(onOutput, onEnd));
  }

  /**
   * Saves the session before it returns, if that takes no longer than `patience` in ms: the browser ends the
   * page's workers as soon as the handlers of its events have returned.
   * @returns whether it is saved
   */
  saveNow(view: ShownView, patience: number): boolean {
    const flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const end = performance.now() + patience;
    this.#session.saveNow(view, flag).catch(() => {});
    // The page's thread may not wait in any other way.
    while (Atomics.load(flag, 0) === SAVING && performance.now() < end);
    return Atomics.load(flag, 0) === SAVED;
  }

  /** Opens the preview of a port at its origin. */
  openPreview(port: number, id: string): Bridge {
    const { port1, port2 } = new MessageChannel();
    // It fails when the container has ended, and then the page closes its previews.
    this.#session.openPreview(port, location.origin, id, transfer(port1, [port1])).catch(() => {});
    return new Bridge(previewOrigin(new URL(location.origin), port, id), port2);
  }

  closePreview(port: number): void {
    void this.#session.closePreview(port);
  }

  /** Cancels the session. Only the layers that it stored stay. */
  async cancel(): Promise<void> {
    await Promise.race([this.#session.cancel(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    this.end();
  }

  /** Kills the container, and ends the session when its files are in the store. */
  async kill(): Promise<void> {
    void this.#session.kill();
    await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, GRACE))]);
    this.end();
  }

  /** Ends all threads of the session and frees its memory. */
  end(): void {
    // Comlink keeps the worker as long as its proxy is reachable, and the listener refers to that.
    this.#worker.onerror = null;
    this.#watch.end();
    if (this.#hasEnded) setTimeout(() => terminate(this.#worker), REST);
    else terminate(this.#worker);
    void prepareSession(this.#relay);
  }
}
