import { proxy, type Remote, wrap } from 'comlink';
import { BASE, machineFiles } from './machine-files.ts';
import type { FurtherTerminalClient, SessionClient, SessionEvent, SessionRequest } from './messages.ts';
import type { Session } from './session.ts';
import type { TerminalProcess } from './terminal-process.ts';

/** The longest wait for the end of a session before its worker is terminated, in ms. */
const PATIENCE = 2000;

/**
 * The time for the worker's own workers to end, in ms. Chromium never ends a worker terminated before that.
 */
const REST = 1000;

let spare: Worker | undefined;

function createWorker(): Worker {
  return new Worker(new URL('./session-worker.ts', import.meta.url), { type: 'module', name: 'session' });
}

/** Loads everything that the next session needs, so that it starts at once. Resolves when that is there. */
export function prepareSession(): Promise<void> {
  spare ??= createWorker();
  return machineFiles.preload();
}

/** The page's end of a session. */
export class Connection {
  readonly #worker: Worker;
  readonly #session: Remote<Session>;
  #hasEnded = false;

  constructor(
    request: Omit<SessionRequest, 'base'>,
    onEvent: (event: SessionEvent) => void,
    onOutput: SessionClient['onOutput'],
  ) {
    this.#worker = spare ?? createWorker();
    spare = undefined;
    this.#worker.onerror = ({ message }) => {
      // The worker is missing if its code could not be loaded.
      const missing = { name: 'MachineError', message: 'cannot load the code of a session' };
      onEvent({ type: 'failed', failure: message ? { name: 'Error', message } : missing });
    };
    this.#session = wrap<Session>(this.#worker);
    const client = proxy({
      onEvent: async (event: SessionEvent) => {
        this.#hasEnded ||= event.type === 'exit' || event.type === 'failed';
        onEvent(event);
      },
      onOutput,
      emulator: () => machineFiles.emulator(),
      machineFile: (path: string) => machineFiles.file(path),
    });
    this.#session.run({ ...request, base: BASE }, client).catch((error: Error) => {
      // The request could not be sent.
      onEvent({ type: 'failed', failure: { name: error.name, message: error.message } });
    });
  }

  get session(): Remote<Session> {
    return this.#session;
  }

  /** Starts another shell. @throws the errors of `Session.openTerminal` */
  openTerminal(
    onOutput: FurtherTerminalClient['onOutput'],
    onEnd: (status: number) => void,
  ): Promise<Remote<TerminalProcess>> {
    const client = proxy({ onOutput, onEnd: async (status: number) => onEnd(status) });
    return this.#session.openTerminal(client);
  }

  /** Cancels the session. Only the layers that it stored stay. */
  async cancel(): Promise<void> {
    await Promise.race([this.#session.cancel(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    this.end();
  }

  /** Ends all threads of the session and frees its memory. */
  end(): void {
    // Comlink keeps the worker as long as its proxy is reachable, and the listener refers to that.
    this.#worker.onerror = null;
    if (this.#hasEnded) setTimeout(() => this.#worker.terminate(), REST);
    else this.#worker.terminate();
    void prepareSession();
  }
}
