import { useEffect, useRef } from 'react';
import { printable } from '../../text/byte-text.ts';
import { fileName } from '../model/names.ts';
import { toDraft } from '../model/text-file.ts';
import { type OpenFile, useEditor } from '../stores/editor.ts';
import { isDark, useTheme } from '../stores/theme.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';
import { focusEditorTab } from './editor-focus.ts';

/** Says that a file with unsaved text has changed in the container. */
export function ConflictNotice({ file }: { file: OpenFile }) {
  const { compare } = useEditor.getState();
  const isGone = file.theirs === null;
  return (
    <section className="editor-conflict" role="alert">
      <p>
        {isGone
          ? 'The container has deleted this file, or it is no text any more. Your text is not saved.'
          : 'The container has changed this file, and your text is not saved. Which one stays?'}
      </p>
      <div className="editor-choices">
        <Choices file={file} />
        {!isGone && (
          <Button icon="split" look="plain" onClick={() => compare(file.path)}>
            Compare
          </Button>
        )}
      </div>
    </section>
  );
}

function Choices({ file: { path, theirs }, onChoice }: { file: OpenFile; onChoice?: () => void }) {
  const { keepMine, takeTheirs, open } = useEditor.getState();
  const choose = (choice: (path: string) => void) => () => {
    choice(path);
    onChoice?.();
    // The button that had the focus is gone.
    if (isOpen(path)) void open(path);
    else focusEditorTab();
  };
  return (
    <>
      <Button icon="check" look="plain" onClick={choose(keepMine)}>
        Keep mine
      </Button>
      <Button icon="restart" look="plain" onClick={choose(takeTheirs)}>
        {theirs === null ? 'Close it' : 'Take theirs'}
      </Button>
    </>
  );
}

const isOpen = (path: string) => useEditor.getState().files.some((file) => file.path === path);

/** Shows both texts of a conflict in one. */
export function Comparison({ file }: { file: OpenFile }) {
  const element = useRef<HTMLDivElement>(null);
  const { path, theirs, draft, ending } = file;
  const name = printable(fileName(path));
  const close = () => useEditor.getState().compare(undefined);
  useEffect(() => {
    let end = () => {};
    let isWanted = true;
    void import('../editor/compare-view.ts').then(({ showComparison }) => {
      if (!isWanted || !element.current) return;
      const old = toDraft(theirs ?? '', ending);
      const dark = isDark(useTheme.getState().theme);
      end = showComparison(element.current, old, draft.toString(), `Both texts of ${name}`, dark);
    });
    return () => {
      isWanted = false;
      end();
    };
  }, [theirs, draft, ending, name]);
  return (
    <Dialog title={`Compare ${name}`} onClose={close}>
      <p>Lines that are struck out are the container’s. Lines that are underlined are yours.</p>
      <div ref={element} className="comparison" />
      <div className="dialog-actions">
        <Choices file={file} onChoice={close} />
      </div>
    </Dialog>
  );
}

/** Asks before unsaved text is lost. */
export function CloseQuestion({ path }: { path: string }) {
  const { save, discard, cancelClosing } = useEditor.getState();
  const name = printable(fileName(path));
  const close = () => {
    discard(path);
    focusEditorTab();
  };
  const saveFirst = async () => {
    if (await save(path)) close();
    // Why it is not saved is shown in its place.
    else cancelClosing();
  };
  return (
    <Dialog title={`Save ${name}?`} onClose={cancelClosing}>
      <p className="dialog-text">{printable(path)} has text that is not saved.</p>
      <div className="dialog-actions">
        <Button icon="close" onClick={cancelClosing}>
          Cancel
        </Button>
        <Button icon="trash" look="danger" onClick={close}>
          Close without saving
        </Button>
        <Button icon="save" look="main" onClick={() => void saveFirst()}>
          Save
        </Button>
      </div>
    </Dialog>
  );
}
