import type { Child } from '../../api/public.ts';
import type { SavedTerminal, SavedView } from '../model/saved-view.ts';
import type { ShownView, TerminalClient } from './messages.ts';
import { TerminalProcess } from './terminal-process.ts';

/** The number of the container's own process. */
export const OWN = 0;

/** A process that goes on, until the page takes its output. */
interface Waiting {
  readonly process: Child;
  readonly unshown: Uint8Array<ArrayBuffer>;
}

type OnMessage = (bytes: Uint8Array<ArrayBuffer>) => unknown;

/** A container's processes with terminals, by the numbers that the page gives them. */
export class TerminalProcesses {
  /** In the order of their start. */
  readonly #processes = new Map<number, TerminalProcess | Waiting>();

  get(number: number): TerminalProcess | undefined {
    const process = this.#processes.get(number);
    return process instanceof TerminalProcess ? process : undefined;
  }

  /** Adds a process that starts, and leaves it when it ends. */
  add(number: number, process: Child, client: TerminalClient, onMessage: OnMessage): TerminalProcess {
    return this.#show(number, { process, unshown: new Uint8Array() }, client, onMessage);
  }

  /**
   * Takes up the processes of a saved session.
   * @param children in the order of their start, the container's own first
   */
  resume({ processes, terminals }: SavedView, children: readonly Child[]): void {
    for (const [at, process] of children.entries()) {
      const number = processes[at];
      const saved = terminals.find((terminal) => terminal.process === number);
      if (number !== undefined && saved) this.#processes.set(number, { process, unshown: saved.unshown });
      // The user closed its terminal, and nobody would ever read what it writes.
      else process.kill('SIGHUP').catch(() => {});
    }
  }

  /** Connects a process that goes on with the page. Returns undefined if there is none of this number. */
  attach(number: number, client: TerminalClient, onMessage: OnMessage): TerminalProcess | undefined {
    const waiting = this.#processes.get(number);
    if (!waiting || waiting instanceof TerminalProcess) return undefined;
    return this.#show(number, waiting, client, onMessage);
  }

  /** Keeps all output from now on, until `save` takes it. */
  hold(): void {
    for (const process of this.#processes.values()) if (process instanceof TerminalProcess) process.hold();
  }

  /** Adds the output that is on its way to what the page shows. */
  save({ terminals, ...view }: ShownView): SavedView {
    return {
      ...view,
      processes: [...this.#processes.keys()],
      terminals: terminals.flatMap(({ shown, ...terminal }): SavedTerminal[] => {
        const process = this.#processes.get(terminal.process);
        if (!process) return [];
        const unshown = process instanceof TerminalProcess ? process.unshown(shown) : process.unshown;
        return [{ ...terminal, unshown }];
      }),
    };
  }

  #show(
    number: number,
    { process, unshown }: Waiting,
    client: TerminalClient,
    onMessage: OnMessage,
  ): TerminalProcess {
    const terminal = new TerminalProcess(process, client, onMessage, unshown);
    this.#processes.set(number, terminal);
    const leave = () => void this.#processes.delete(number);
    terminal.ended.then(leave, leave);
    return terminal;
  }
}
