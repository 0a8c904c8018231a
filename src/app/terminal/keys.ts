import type { Terminal } from '@xterm/xterm';

/**
 * The keys that are for the page: Ctrl-Shift-C copies and Ctrl-Shift-F finds, as in other terminals.
 * @returns whether the terminal is to take the key
 */
export function isForTerminal(event: KeyboardEvent, terminal: Terminal, onFind: () => void): boolean {
  const isOurs = event.ctrlKey && event.shiftKey && (event.code === 'KeyC' || event.code === 'KeyF');
  // Nobody reads what is typed: then Tab is to lead on, as everywhere.
  if (!isOurs) return terminal.options.disableStdin !== true;
  if (event.type === 'keydown') {
    // The browser has other plans with these keys.
    event.preventDefault();
    if (event.code === 'KeyF') onFind();
    else copySelection(terminal);
  }
  return false;
}

function copySelection(terminal: Terminal): void {
  if (!terminal.hasSelection()) return;
  // Without permission nothing is copied; the menu of the browser still can.
  navigator.clipboard.writeText(terminal.getSelection()).catch(() => {});
}
