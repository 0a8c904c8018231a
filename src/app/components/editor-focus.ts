import { useEditor } from '../stores/editor.ts';
import { focusFiles } from './FilesButton.tsx';

/** Focuses what is left when a file has been closed. */
export function focusEditorTab(): void {
  const { files, active, closing } = useEditor.getState();
  if (closing !== undefined) return;
  const at = files.findIndex(({ path }) => path === active);
  // The tabs are drawn anew.
  requestAnimationFrame(() => (at < 0 ? focusFiles() : document.getElementById(`file-tab-${at}`)?.focus()));
}
