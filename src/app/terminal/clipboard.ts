import type { Terminal } from '@xterm/xterm';

/** Ctrl-Shift-C copies what is selected, as in other terminals; Ctrl-C is for the program. @returns whether to go on */
export function copyOnKey(event: KeyboardEvent, terminal: Terminal): boolean {
  if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey || event.code !== 'KeyC') return true;
  if (terminal.hasSelection()) {
    event.preventDefault();
    // Without permission nothing is copied; the browser's menu still can.
    navigator.clipboard.writeText(terminal.getSelection()).catch(() => {});
  }
  return false;
}
