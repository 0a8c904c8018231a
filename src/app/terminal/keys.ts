import type { Terminal } from '@xterm/xterm';
import { copy } from '../clipboard.ts';

/** What keys for the page lead to. */
export interface PageKeys {
  onFindKey(): void;
  /** A program in a terminal takes even Tab: this is the way out for who has only a keyboard. */
  onLeaveKey(): void;
}

/**
 * Ctrl-Shift-C copies and Ctrl-Shift-F finds, as in other terminals; Ctrl-F6 leaves the terminal.
 * @returns whether the terminal is to take the key
 */
export function isForTerminal(event: KeyboardEvent, terminal: Terminal, page: PageKeys): boolean {
  const action = event.ctrlKey ? actionOf(event, terminal, page) : undefined;
  // Where nobody reads what is typed, Tab leads on, as everywhere.
  if (!action) return terminal.options.disableStdin !== true;
  if (event.type === 'keydown') {
    // The browser has other plans with these keys.
    event.preventDefault();
    action();
  }
  return false;
}

function actionOf(event: KeyboardEvent, terminal: Terminal, page: PageKeys): (() => void) | undefined {
  if (event.code === 'F6') return page.onLeaveKey;
  if (event.shiftKey && event.code === 'KeyF') return page.onFindKey;
  if (event.shiftKey && event.code === 'KeyC') return () => copySelection(terminal);
  return undefined;
}

function copySelection(terminal: Terminal): void {
  // Without permission nothing is copied; the menu of the browser still can.
  if (terminal.hasSelection()) void copy(terminal.getSelection());
}
