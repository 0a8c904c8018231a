import { proxy, type Remote, wrap } from 'comlink';
import { BASE, machineFiles } from './machine-files.ts';
import type { FurtherTerminalClient, SessionClient, SessionEvent, SessionRequest } from './messages.ts';
import type { Session } from './session.ts';
import type { TerminalProcess } from './terminal-process.ts';

/** How long the end of a session may take before its worker is ended all the same, ms. */
const PATIENCE = 2000;

/**
 * Chromium never ends a worker that is terminated while its own workers are just ending; this gives them
 * time, ms.
 */
const REST = 1000;

let spare: Worker | undefined;

function createWorker(): Worker {
  return new Worker(new URL('./session-worker.ts', import.meta.url), { type: 'module', name: 'session' });
}

/** Loads what the next session will need, so that it begins at once. */
export function prepareSession(): void {
  spare ??= createWorker();
  machineFiles.preload();
}

/** A session, seen from the page. */
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
      // There is none when the worker's code could not be loaded.
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
      // What it was given could not even be sent.
      onEvent({ type: 'failed', failure: { name: error.name, message: error.message } });
    });
  }

  get session(): Remote<Session> {
    return this.#session;
  }

  /** Starts a further shell. @throws as `Session.openTerminal` */
  openTerminal(
    onOutput: FurtherTerminalClient['onOutput'],
    onEnd: (status: number) => void,
  ): Promise<Remote<TerminalProcess>> {
    const client = proxy({ onOutput, onEnd: async (status: number) => onEnd(status) });
    return this.#session.openTerminal(client);
  }

  /** Gives the session up; nothing is left of it but what it stored. */
  async cancel(): Promise<void> {
    await Promise.race([this.#session.cancel(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    this.end();
  }

  /** Ends all threads of the session, and lets go of its memory. */
  end(): void {
    // Comlink holds the worker until nothing holds what it wraps, and the listener does.
    this.#worker.onerror = null;
    if (this.#hasEnded) setTimeout(() => this.#worker.terminate(), REST);
    else this.#worker.terminate();
    prepareSession();
  }
}
