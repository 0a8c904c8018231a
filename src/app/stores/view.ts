import type { ShownView } from '../machine/messages.ts';
import type { SavedView } from '../model/saved-view.ts';
import { shownEditor, useEditor } from './editor.ts';
import { useFiles } from './files.ts';
import { usePreviews } from './previews.ts';
import { useTerminals } from './terminals.ts';

/** Returns what the page shows of a container. @param id of its previews */
export function shownView(id: string): ShownView {
  const { tabs, active, beside } = useTerminals.getState();
  const processOf = (id: number | undefined) => tabs.find((tab) => tab.id === id)?.process;
  const files = useFiles.getState();
  const previews = usePreviews.getState();
  return {
    terminals: tabs
      .filter(({ hasFailed }) => !hasFailed)
      .map(({ process, title, port }) => ({ process, title, ...port.save() })),
    active: processOf(active) ?? 0,
    beside: processOf(beside) ?? -1,
    files: { isShown: files.isShown, expanded: [...files.expanded], selected: files.selected },
    editor: shownEditor(),
    previews: {
      id,
      isShown: previews.isShown,
      active: previews.active ?? 0,
      open: previews.previews.map(({ port, path }) => ({ port, path })),
    },
  };
}

/** Shows again what the page showed of a container that goes on. */
export function restoreView(view: SavedView): void {
  useTerminals.getState().restore(view);
  useFiles.getState().restore(view.files);
  useEditor.getState().restore(view.editor);
  usePreviews.getState().restore(view.previews);
}
