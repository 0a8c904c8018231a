import type { SavedScreen } from '../../terminal/screen.ts';
import type { ShownScreen, TerminalSize } from './messages.ts';

export interface Screen {
  /** Resolves when the bytes are on the screen. */
  write(bytes: Uint8Array): Promise<void>;
  save(): SavedScreen;
  /** Resolves when it shows what was saved, in its own size. */
  restore(saved: SavedScreen): Promise<void>;
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
  #saved: SavedScreen | undefined;
  #isRestoring = false;
  #shown = 0;

  connect(process: Process): void {
    this.#process = process;
    this.#reportSize();
    for (const bytes of this.#typed.splice(0)) process.write(bytes);
  }

  /** Shows what an earlier screen of the process showed, before any output. */
  restore(saved: SavedScreen): void {
    if (this.#screen) void this.#restore(this.#screen, saved);
    else this.#saved = saved;
  }

  attach(screen: Screen): void {
    this.#screen = screen;
    if (this.#saved) void this.#restore(screen, this.#saved);
    this.#saved = undefined;
    for (const resolve of this.#screens.splice(0)) resolve(screen);
  }

  /** Resolves when the bytes are on the screen. */
  async show(bytes: Uint8Array): Promise<void> {
    const screen = this.#screen ?? (await new Promise<Screen>((resolve) => this.#screens.push(resolve)));
    await screen.write(bytes);
    this.#shown += bytes.length;
  }

  /** Returns what is on the screen, and how many of the process's bytes led to it. */
  save(): ShownScreen {
    const screen = this.#screen?.save() ?? this.#saved ?? { columns: 80, rows: 24, content: '' };
    return { ...screen, shown: this.#shown };
  }

  type(bytes: Uint8Array): void {
    if (this.#process) this.#process.write(bytes);
    else this.#typed.push(bytes);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#reportSize();
  }

  /** A program draws its screen anew at each change of the size, so it is not told those on the way. */
  async #restore(screen: Screen, saved: SavedScreen): Promise<void> {
    this.#isRestoring = true;
    await screen.restore(saved);
    this.#isRestoring = false;
    this.#reportSize();
  }

  #reportSize(): void {
    if (this.#size && !this.#isRestoring) this.#process?.resize(this.#size);
  }
}
