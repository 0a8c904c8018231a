import type { TerminalSize } from './messages.ts';

export interface Screen {
  /** Resolves when the bytes are on the screen. */
  write(bytes: Uint8Array): Promise<void>;
}

interface Process {
  write(bytes: Uint8Array): void;
  resize(size: TerminalSize): void;
}

/** Joins a process in the container with the terminal that shows it. What comes before there is a screen waits. */
let made = 0;

export class TerminalPort {
  /** Unique in the page. */
  readonly key = made++;
  readonly #process: Process;
  readonly #screens: ((screen: Screen) => void)[] = [];
  #screen: Screen | undefined;

  constructor(process: Process) {
    this.#process = process;
  }

  attach(screen: Screen): void {
    this.#screen = screen;
    for (const resolve of this.#screens.splice(0)) resolve(screen);
  }

  async show(bytes: Uint8Array): Promise<void> {
    const screen = this.#screen ?? (await new Promise<Screen>((resolve) => this.#screens.push(resolve)));
    await screen.write(bytes);
  }

  type(bytes: Uint8Array): void {
    this.#process.write(bytes);
  }

  resize(size: TerminalSize): void {
    this.#process.resize(size);
  }
}
