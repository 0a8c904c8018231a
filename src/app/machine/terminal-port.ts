import type { TerminalSize } from './messages.ts';

export interface Screen {
  /** Resolves when the bytes are on the screen. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A process in another thread. The caller does not wait for its calls. */
interface Process {
  write(bytes: Uint8Array): unknown;
  resize(size: TerminalSize): unknown;
}

let made = 0;

/** Connects a process in the container with its terminal. Either may exist first. */
export class TerminalPort {
  /** An id that is unique in the page. */
  readonly key = made++;
  readonly #screens: ((screen: Screen) => void)[] = [];
  /** What was typed before there was a process. */
  readonly #typed: Uint8Array[] = [];
  #process: Process | undefined;
  #screen: Screen | undefined;
  #size: TerminalSize | undefined;

  connect(process: Process): void {
    this.#process = process;
    if (this.#size) process.resize(this.#size);
    for (const bytes of this.#typed.splice(0)) process.write(bytes);
  }

  attach(screen: Screen): void {
    this.#screen = screen;
    for (const resolve of this.#screens.splice(0)) resolve(screen);
  }

  /** Resolves when the bytes are on the screen. */
  async show(bytes: Uint8Array): Promise<void> {
    const screen = this.#screen ?? (await new Promise<Screen>((resolve) => this.#screens.push(resolve)));
    await screen.write(bytes);
  }

  type(bytes: Uint8Array): void {
    if (this.#process) this.#process.write(bytes);
    else this.#typed.push(bytes);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#process?.resize(size);
  }
}
