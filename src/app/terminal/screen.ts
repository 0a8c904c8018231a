import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal } from '@xterm/xterm';
import type { TerminalSize } from '../../machine/terminal-size.ts';
import { isForTerminal, type PageKeys } from './keys.ts';
import { DARK, LIGHT } from './themes.ts';
import { drawFast } from './webgl.ts';

const SCROLLBACK = 10_000;
/** The look of a bell, and its length in ms. */
const FLASH = [{ opacity: 0.4 }, { opacity: 1 }];
const FLASH_TIME = 180;
const HIDE_CURSOR = '\x1b[?25l';
/** The bits of a character that the Control key keeps. */
const CONTROL = 0x1f;

export interface ScreenEvents extends PageKeys {
  onInput(bytes: Uint8Array): void;
  onResize(size: TerminalSize): void;
  onTitle(title: string): void;
  onBell(): void;
}

/** A terminal on the page that fills an element. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #search = new SearchAddon();
  readonly #observer: ResizeObserver;
  #releaseControl: (() => void) | undefined;

  constructor(element: HTMLElement, events: ScreenEvents, dark: boolean) {
    const fit = new FitAddon();
    this.#terminal = new Terminal({
      theme: dark ? DARK : LIGHT,
      fontFamily: '"Geist Mono Variable", ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      fontSize: 14,
      lineHeight: 1.15,
      cursorBlink: !hasLessMotion(),
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK,
      allowProposedApi: true, // unicode and the decorations of search need it
    });
    for (const addon of [fit, this.#search, new WebLinksAddon(openLink), new UnicodeGraphemesAddon()])
      this.#terminal.loadAddon(addon);
    this.#terminal.open(element);
    drawFast(this.#terminal);
    this.#listen(events);
    // A hidden terminal cannot be measured.
    this.#observer = new ResizeObserver(() => element.clientWidth > 0 && fit.fit());
    this.#observer.observe(element);
    fit.fit();
  }

  get size(): TerminalSize {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(bytes, resolve));
  }

  setDark(dark: boolean): void {
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

  /** Types text for the user. */
  input(text: string): void {
    this.#terminal.input(text);
  }

  /** Takes the next letter as typed with the Control key, which phones lack. */
  holdControl(isHeld: boolean, onRelease: () => void): void {
    this.#releaseControl = isHeld ? onRelease : undefined;
  }

  /** @returns whether the text was found */
  find(text: string, direction: 'next' | 'previous'): boolean {
    if (text === '') this.#search.clearDecorations();
    return direction === 'next' ? this.#search.findNext(text) : this.#search.findPrevious(text);
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

  #withControl(text: string): string {
    const release = this.#releaseControl;
    this.#releaseControl = undefined;
    release?.();
    const isLetter = /^[@-_a-z]$/.test(text);
    return release && isLetter ? String.fromCharCode(text.toUpperCase().charCodeAt(0) & CONTROL) : text;
  }

  #listen(events: ScreenEvents): void {
    const encoder = new TextEncoder();
    this.#terminal.onData((text) => events.onInput(encoder.encode(this.#withControl(text))));
    // Mouse reports are bytes, not text.
    this.#terminal.onBinary((text) =>
      events.onInput(Uint8Array.from(text, (character) => character.charCodeAt(0))),
    );
    this.#terminal.onResize(({ cols, rows }) => events.onResize({ columns: cols, rows }));
    this.#terminal.onTitleChange(events.onTitle);
    this.#terminal.onBell(() => {
      if (!hasLessMotion()) this.#terminal.element?.animate(FLASH, FLASH_TIME);
      events.onBell();
    });
    this.#terminal.attachCustomKeyEventHandler((event) => isForTerminal(event, this.#terminal, events));
  }
}

function hasLessMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Opens a link of the guest so that the opened page can neither see nor reach ours. */
function openLink(_event: MouseEvent, link: string): void {
  window.open(link, '_blank', 'noopener,noreferrer');
}
