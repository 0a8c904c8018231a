import type { Terminal } from '@xterm/xterm';
import { copy } from './clipboard.ts';

/** The actions of the page's own keys. The terminal takes those without an action. */
export interface PageKeys {
  onFindKey?(): void;
  /** Shows the list of keys. */
  onKeysKey?(): void;
  /** Leaves the terminal. A program takes even Tab, so keyboard users need this. */
  onLeaveKey(): void;
}

/**
 * Ctrl-Shift-C copies and Ctrl-Shift-F finds, as in other terminals; Ctrl-? shows the list of keys, and
 * Ctrl-F6 leaves the terminal. Terminals have no bytes for the first three.
 * @returns whether the terminal takes the key
 */
export function isForTerminal(event: KeyboardEvent, terminal: Terminal, page: PageKeys): boolean {
  const action = event.ctrlKey ? actionOf(event, terminal, page) : undefined;
  // In a terminal without a program, Tab moves the focus as usual.
  if (!action) return terminal.options.disableStdin !== true;
  if (event.type === 'keydown') {
    // The browser uses these keys for something else.
    event.preventDefault();
    action();
  }
  return false;
}

function actionOf(event: KeyboardEvent, terminal: Terminal, page: PageKeys): (() => void) | undefined {
  if (event.code === 'F6') return page.onLeaveKey;
  // Its place differs between keyboards.
  if (event.key === '?') return page.onKeysKey;
  if (event.shiftKey && event.code === 'KeyF') return page.onFindKey;
  if (event.shiftKey && event.code === 'KeyC') return () => copySelection(terminal);
  return undefined;
}

function copySelection(terminal: Terminal): void {
  // Without permission nothing is copied. The browser's menu can still copy.
  if (terminal.hasSelection()) void copy(terminal.getSelection());
}
