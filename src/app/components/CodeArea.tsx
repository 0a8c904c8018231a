import { type RefObject, useEffect, useRef, useState } from 'react';
import { printable } from '../../text/byte-text.ts';
import { CodeView } from '../editor/code-view.ts';
import { fileName } from '../model/names.ts';
import { type OpenFile, useEditor } from '../stores/editor.ts';
import { isDark, useTheme, watchDarkness } from '../stores/theme.ts';

export type CodeHandle = Pick<CodeView, 'find'>;

interface CodeAreaProps {
  readonly file: OpenFile;
  readonly isActive: boolean;
  /** Gets the editor of the visible file. */
  readonly handle: RefObject<CodeHandle | undefined>;
  /** The user leaves the editor by a key. */
  readonly onLeave: () => void;
}

/** The text of a file. */
export function CodeArea({ file, isActive, handle, onLeave }: CodeAreaProps) {
  const { path, load, visit } = file;
  const element = useRef<HTMLDivElement>(null);
  const [code, setCode] = useState<CodeView>();
  const isWrapped = useEditor((editor) => editor.isWrapped);
  const leave = useRef(onLeave);
  leave.current = onLeave;

  useEffect(() => {
    const { edit, save } = useEditor.getState();
    const view = new CodeView(
      element.current as HTMLDivElement,
      {
        name: printable(fileName(path)),
        text: draftOf(path),
        isWrapped: useEditor.getState().isWrapped,
        isDark: isDark(useTheme.getState().theme),
      },
      {
        onChange: (draft) => edit(path, draft),
        onSave: () => void save(path),
        onLeaveKey: () => leave.current(),
      },
    );
    setCode(view);
    const unwatch = watchDarkness((dark) => view.setDark(dark));
    return () => {
      unwatch();
      view.dispose();
    };
  }, [path]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the number of a text that came from elsewhere
  useEffect(() => code?.setText(draftOf(path)), [code, path, load]);
  useEffect(() => code?.setWrapped(isWrapped), [code, isWrapped]);
  useEffect(() => {
    if (!code || !visit) return;
    if (visit.place) code.goTo(visit.place);
    code.focus();
  }, [code, visit]);
  useEffect(() => {
    if (isActive) handle.current = code;
  }, [code, isActive, handle]);
  return <div ref={element} className="code" />;
}

function draftOf(path: string): string {
  return (
    useEditor
      .getState()
      .files.find((file) => file.path === path)
      ?.draft.toString() ?? ''
  );
}
