import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { SerializeAddon } from '@xterm/addon-serialize';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { type IBuffer, Terminal } from '@xterm/xterm';
import { type BarKey, sequenceOf } from './bar-keys.ts';
import { isForTerminal, type PageKeys } from './keys.ts';
import { type Matches, MOST_MATCHES } from './matches.ts';
import { DARK, DARK_MATCHES, LIGHT, LIGHT_MATCHES } from './themes.ts';
import { drawFast } from './webgl.ts';

const SCROLLBACK = 10_000;
/** In pixels, where the browser's text has its usual size. */
const FONT_SIZE = 14;
const USUAL_TEXT_SIZE = 16;
/** The look of a bell, and its length in ms. */
const FLASH = [{ opacity: 0.4 }, { opacity: 1 }];
const FLASH_TIME = 180;
const HIDE_CURSOR = '\x1b[?25l';
/** The bits of a character that the Control key keeps. */
const CONTROL = 0x1f;

/** In characters. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a screen shows, with its scrollback and the modes that programs have set. */
export interface SavedScreen extends ScreenSize {
  /** Control sequences that show it again on a screen of this size. */
  readonly content: string;
}

export interface ScreenEvents extends PageKeys {
  /** Takes what the user types, and the terminal's answers to programs. */
  onInput(bytes: Uint8Array): void;
  /** The user types or pastes. */
  onType?(): void;
  onResize(size: ScreenSize): void;
  onTitle?(title: string): void;
  onBell?(): void;
}

/** A terminal that fills an element. The styles of xterm.js must be in the element's tree. */
export class Screen {
  readonly #terminal: Terminal;
  #events: ScreenEvents;
  readonly #search = new SearchAddon({ highlightLimit: MOST_MATCHES });
  readonly #serializer = new SerializeAddon();
  readonly #fit: () => void;
  readonly #observer: ResizeObserver;
  #releaseControl: (() => void) | undefined;
  #isDark: boolean;
  #isRestoring = false;

  constructor(element: HTMLElement, events: ScreenEvents, dark: boolean) {
    const fit = new FitAddon();
    this.#events = events;
    this.#isDark = dark;
    this.#terminal = new Terminal({
      theme: dark ? DARK : LIGHT,
      fontFamily: '"Geist Mono Variable", ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      fontSize: FONT_SIZE * browserTextScale(element),
      lineHeight: 1.15,
      cursorBlink: !hasLessMotion(),
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK,
      allowProposedApi: true, // unicode and the decorations of search need it
    });
    const others = [new WebLinksAddon(openLink), new UnicodeGraphemesAddon()];
    for (const addon of [fit, this.#search, this.#serializer, ...others]) this.#terminal.loadAddon(addon);
    this.#terminal.open(element);
    // Programs choose its colours.
    this.#terminal.element?.style.setProperty('forced-color-adjust', 'none');
    drawFast(this.#terminal);
    this.#listen();
    // A hidden terminal cannot be measured.
    this.#fit = () => {
      if (this.#terminal.element?.clientWidth && !this.#isRestoring) fit.fit();
    };
    this.#observer = new ResizeObserver(this.#fit);
    this.#observer.observe(element);
    fit.fit();
  }

  /** Moves to another element, and tells its events to other listeners. */
  move(element: HTMLElement, events: ScreenEvents): void {
    this.#events = events;
    this.#observer.disconnect();
    if (this.#terminal.element) element.append(this.#terminal.element);
    this.#observer.observe(element);
    this.#fit();
  }

  get size(): ScreenSize {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(bytes, resolve));
  }

  save(): SavedScreen {
    const { active } = this.#terminal.buffer;
    // A line of the alternate screen keeps what a narrower size has cut off, and is saved in its full length.
    const widths = active.type === 'alternate' ? widthsOf(active) : [];
    const columns = Math.max(this.#terminal.cols, ...widths);
    return { columns, rows: this.#terminal.rows, content: this.#serializer.serialize() };
  }

  /** Shows what another screen showed. Its lines are wrapped anew if this one has another size. */
  restore({ columns, rows, content }: SavedScreen): Promise<void> {
    this.#isRestoring = true;
    this.#terminal.resize(columns, rows);
    return new Promise((resolve) =>
      this.#terminal.write(content, () => {
        this.#isRestoring = false;
        this.#fit();
        resolve();
      }),
    );
  }

  setDark(dark: boolean): void {
    this.#isDark = dark;
    this.#terminal.options.theme = dark ? DARK : LIGHT;
  }

  /** Whether screen readers get the screen's text. */
  setReadable(isReadable: boolean): void {
    this.#terminal.options.screenReaderMode = isReadable;
  }

  /** Stops taking input. */
  freeze(): void {
    this.#terminal.options.disableStdin = true;
    this.#terminal.write(HIDE_CURSOR);
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Leaves the order in which Tab visits the page, because a program keeps Tab for itself. */
  skipInTabOrder(): void {
    if (this.#terminal.textarea) this.#terminal.textarea.tabIndex = -1;
  }

  /** Presses a key for the user. */
  press(key: BarKey): void {
    this.#onType();
    const application = this.#terminal.modes.applicationCursorKeysMode;
    this.#terminal.input(sequenceOf(key, { control: this.#takeControl(), application }));
  }

  paste(text: string): void {
    this.#onType();
    this.#terminal.paste(text);
  }

  /** Takes the next letter as typed with the Control key, which phones lack. */
  holdControl(isHeld: boolean, onRelease: () => void): void {
    this.#releaseControl = isHeld ? onRelease : undefined;
  }

  /** @param direction `here` also takes the place that an earlier search found */
  find(text: string, direction: 'here' | 'next' | 'previous'): void {
    const decorations = this.#isDark ? DARK_MATCHES : LIGHT_MATCHES;
    if (direction === 'previous') this.#search.findPrevious(text, { decorations });
    else this.#search.findNext(text, { decorations, incremental: direction === 'here' });
  }

  /** Calls back when a search, or new output, changes the matches. @returns the end of that */
  watchMatches(listener: (matches: Matches) => void): () => void {
    const watch = this.#search.onDidChangeResults(({ resultIndex, resultCount }) =>
      listener({ count: resultCount, selected: resultIndex }),
    );
    return () => watch.dispose();
  }

  endSearch(): void {
    this.#search.clearDecorations();
    this.#terminal.clearSelection();
    this.focus();
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#terminal.dispose();
  }

  /** Releases the Control key. @returns whether it was held */
  #takeControl(): boolean {
    const release = this.#releaseControl;
    this.#releaseControl = undefined;
    release?.();
    return release !== undefined;
  }

  #withControl(text: string): string {
    const isLetter = /^[@-_a-z]$/.test(text);
    return this.#takeControl() && isLetter
      ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & CONTROL)
      : text;
  }

  #onType(): void {
    this.#events.onType?.();
  }

  #listen(): void {
    const encoder = new TextEncoder();
    const onType = () => this.#onType();
    this.#terminal.onData((text) => this.#events.onInput(encoder.encode(this.#withControl(text))));
    // Mouse reports are bytes, not text.
    this.#terminal.onBinary((text) =>
      this.#events.onInput(Uint8Array.from(text, (character) => character.charCodeAt(0))),
    );
    this.#terminal.onKey(onType);
    // Keyboards on screens and input methods have no keys.
    for (const type of ['input', 'paste'] as const)
      this.#terminal.textarea?.addEventListener(type, onType, { capture: true });
    this.#terminal.onResize(({ cols, rows }) => this.#events.onResize({ columns: cols, rows }));
    this.#terminal.onTitleChange((title) => this.#events.onTitle?.(title));
    this.#terminal.onBell(() => {
      if (!hasLessMotion()) this.#terminal.element?.animate(FLASH, FLASH_TIME);
      this.#events.onBell?.();
    });
    this.#terminal.attachCustomKeyEventHandler((event) => isForTerminal(event, this.#terminal, this.#events));
  }
}

function widthsOf(buffer: IBuffer): number[] {
  return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.length ?? 0);
}

/** How much larger than usual the user wants text. Pages change that of their root, but not `medium`. */
function browserTextScale(element: HTMLElement): number {
  const probe = document.createElement('span');
  Object.assign(probe.style, { fontFamily: 'serif', fontSize: 'medium' });
  element.append(probe);
  const size = Number.parseFloat(getComputedStyle(probe).fontSize);
  probe.remove();
  return size / USUAL_TEXT_SIZE;
}

function hasLessMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Opens a link of the guest so that the opened page can neither see nor reach ours. */
function openLink(_event: MouseEvent, link: string): void {
  window.open(link, '_blank', 'noopener,noreferrer');
}
