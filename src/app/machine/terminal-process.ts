import { transfer } from 'comlink';
import type { Child } from '../../api/public.ts';
import { forward } from './forward.ts';
import type { TerminalClient, TerminalSize } from './messages.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A process in the container whose terminal the page shows. */
export class TerminalProcess {
  /** The exit status, once all output is on the screen. Rejects when the machine fails. */
  readonly ended: Promise<number>;
  readonly #process: Child;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;

  /** @param onMessage takes the agent's lines about the process */
  constructor(process: Child, client: TerminalClient, onMessage: (bytes: Bytes) => unknown) {
    this.#process = process;
    this.#keyboard = process.stdin.getWriter();
    this.ended = Promise.all([
      process.wait(),
      forward(process.stdout, (bytes) => client.onOutput(transfer(bytes, [bytes.buffer]))),
      // With a terminal, nothing else is there.
      forward(process.stderr, onMessage),
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
    void this.#process.kill('SIGHUP');
  }
}
