import type { useFiles } from './files.ts';
import type { usePreviews } from './previews.ts';

type Pane = typeof useFiles | typeof usePreviews;

/** The panes that are closed only because the screen has no room for them. */
const waiting = new Set<Pane>();

/** Closes panes for others, until there is room for all. */
export function giveRoom(...panes: readonly Pane[]): void {
  for (const pane of panes) {
    const { isShown, hide } = pane.getState();
    if (!isShown) continue;
    hide();
    waiting.add(pane);
  }
}

/** Opens the panes again that had to give room. */
export function takeRoom(): void {
  for (const pane of waiting) void pane.getState().show();
  waiting.clear();
}

/** Forgets them, because the container that they belong to is left. */
export function forgetRoom(): void {
  waiting.clear();
}
