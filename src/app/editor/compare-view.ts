import { unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { READING } from './code-view.ts';
import { look } from './look.ts';

/** Shows what has been added to a text and removed from it. @returns a function that ends this */
export function showComparison(
  parent: HTMLElement,
  old: string,
  text: string,
  label: string,
  isDark: boolean,
): () => void {
  const view = new EditorView({
    parent,
    doc: text,
    extensions: [
      READING,
      look(isDark),
      EditorState.readOnly.of(true),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label }),
      unifiedMergeView({ original: old, mergeControls: false, collapseUnchanged: { margin: 3 } }),
    ],
  });
  return () => view.destroy();
}
