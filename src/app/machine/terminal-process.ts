import { transfer } from 'comlink';
import type { Child } from '../../api/public.ts';
import { concat } from '../../streams/concat.ts';
import { forward } from './forward.ts';
import type { TerminalClient, TerminalSize } from './messages.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A process in the container whose terminal the page shows. */
export class TerminalProcess {
  /** The exit status, once all output is on the screen. Rejects when the machine fails. */
  readonly ended: Promise<number>;
  readonly #process: Child;
  readonly #keyboard: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: UnshownOutput;

  /**
   * @param onMessage takes the agent's lines about the process
   * @param unshown output that an earlier screen of the process did not show
   */
  constructor(
    process: Child,
    client: TerminalClient,
    onMessage: (bytes: Bytes) => unknown,
    unshown: Bytes = new Uint8Array(),
  ) {
    this.#process = process;
    this.#keyboard = process.stdin.getWriter();
    const output = new UnshownOutput();
    this.#output = output;
    const show = async (bytes: Bytes) => {
      const { length } = bytes;
      await client.onOutput(transfer(bytes, [bytes.buffer]));
      output.drop(length);
    };
    if (unshown.length > 0) {
      output.add(unshown);
      void show(unshown);
    }
    this.ended = Promise.all([
      process.wait(),
      forward(process.stdout, show, output.add),
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

  /** Keeps all output from now on, also what the page shows, until `unshown` takes it. */
  hold(): void {
    this.#output.isHeld = true;
  }

  /** Returns the output that follows the bytes which the page has shown. */
  unshown(shown: number): Bytes {
    this.#output.isHeld = false;
    return this.#output.after(shown);
  }

  /** Ends the process like the closing of its terminal. */
  hangUp(): void {
    void this.#process.kill('SIGHUP');
  }
}

/** Bytes that are kept although the page has shown them, because its count may arrive after them. */
const RETAINED = 64 << 10;

/** The output of a process that the page may not have shown yet. */
class UnshownOutput {
  #chunks: Bytes[] = [];
  /** The place of the first chunk in all output. */
  #start = 0;
  /** The number of bytes that the page is known to have shown. */
  #shown = 0;
  isHeld = false;

  readonly add = (bytes: Bytes): void => {
    // The buffer moves to the page's thread.
    this.#chunks.push(bytes.slice());
  };

  drop(length: number): void {
    this.#shown += length;
    if (this.isHeld) return;
    const limit = this.#shown - RETAINED;
    for (let [first] = this.#chunks; first && this.#start + first.length <= limit; [first] = this.#chunks) {
      this.#start += first.length;
      this.#chunks.shift();
    }
  }

  after(shown: number): Bytes {
    return concat(this.#chunks).slice(Math.max(shown - this.#start, 0));
  }
}
