import { transfer } from 'comlink';
import type { ContainerProcess } from '../../machine/machine.ts';
import type { TerminalSize } from '../../machine/terminal-size.ts';
import { SIGHUP } from '../../options/signals.ts';
import { forward } from './forward.ts';
import type { TerminalClient } from './messages.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A process in the container whose terminal the page shows. */
export class TerminalProcess {
  /** The exit status, once all output is on the screen. Rejects when the machine fails. */
  readonly ended: Promise<number>;
  readonly #process: ContainerProcess;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;

  /** @param onMessage takes the agent's lines about the process */
  constructor(process: ContainerProcess, client: TerminalClient, onMessage: (bytes: Bytes) => unknown) {
    this.#process = process;
    this.#keyboard = process.stdin.getWriter();
    this.ended = Promise.all([
      process.exit,
      forward(process.stdout, (bytes) => client.onOutput(transfer(bytes, [bytes.buffer]))),
      forward(process.messages, onMessage),
    ]).then(([status]) => status);
    // Callers that wait get the error. There may be none yet.
    this.ended.catch(() => {});
  }

  /** Takes the user's input. It is lost if the process no longer reads. */
  write(bytes: Uint8Array): void {
    this.#keyboard.write(bytes).catch(() => {});
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#process.resize(columns, rows);
  }

  /** Ends the process like the closing of its terminal. */
  hangUp(): void {
    this.#process.kill(SIGHUP);
  }
}
