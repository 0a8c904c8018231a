import { type KeyboardEvent, useRef } from 'react';
import { printable } from '../../text/byte-text.ts';
import { fileName } from '../model/names.ts';
import { parentOf } from '../model/tree.ts';
import { type OpenFile, useEditor } from '../stores/editor.ts';
import { useLayout } from '../stores/layout.ts';
import { IconButton } from './Button.tsx';
import { CodeArea, type CodeHandle } from './CodeArea.tsx';
import { CloseQuestion, Comparison, ConflictNotice } from './EditorDialogs.tsx';
import { focusEditorTab } from './editor-focus.ts';
import { sized } from './sized.ts';

/** The files in the editor, one of which is visible. */
export default function EditorPane() {
  const { files, active, isInFront, closing, comparing } = useEditor();
  const code = useRef<CodeHandle>(undefined);
  const size = useLayout(({ sizes }) => sizes.editor);
  const compared = files.find(({ path }) => path === comparing);
  return (
    <section
      id="editor"
      className="editor"
      aria-label="Editor"
      data-front={isInFront || undefined}
      style={sized(size)}
    >
      <EditorTabs onFind={() => code.current?.find()} />
      {files.map((file, index) => (
        <div
          key={file.path}
          className="editor-panel"
          role="tabpanel"
          id={`file-${index}`}
          aria-labelledby={`file-tab-${index}`}
          hidden={file.path !== active}
        >
          {file.theirs !== undefined && <ConflictNotice file={file} />}
          {file.problem && (
            <p className="editor-problem" role="alert">
              {file.problem}
            </p>
          )}
          {file.state === 'loading' && <p className="editor-note">Loading…</p>}
          {file.state === 'ready' && (
            <CodeArea
              file={file}
              isActive={file.path === active}
              handle={code}
              onLeave={() => document.getElementById(`file-tab-${index}`)?.focus()}
            />
          )}
        </div>
      ))}
      {closing !== undefined && <CloseQuestion path={closing} />}
      {compared?.theirs !== undefined && <Comparison file={compared} />}
    </section>
  );
}

function EditorTabs({ onFind }: { onFind: () => void }) {
  const { files, active, isWrapped, activate, setWrapped, save, close } = useEditor();
  const file = files.find(({ path }) => path === active);
  const move = ({ key }: KeyboardEvent) => {
    const at = files.findIndex(({ path }) => path === active);
    if (key === 'Delete' && active !== undefined) return closeAndFocus(active);
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    const next = (at + step + files.length) % files.length;
    if (step === 0 || !files[next]) return;
    activate(files[next].path);
    document.getElementById(`file-tab-${next}`)?.focus();
  };
  const closeAndFocus = (path: string) => {
    close(path);
    focusEditorTab();
  };
  const isReady = file?.state === 'ready';
  return (
    <div className="tabs">
      <div role="tablist" aria-label="Open files" className="tab-list" onKeyDown={move}>
        {files.map(({ path, isDirty }, index) => (
          <button
            key={path}
            type="button"
            role="tab"
            id={`file-tab-${index}`}
            aria-controls={`file-${index}`}
            aria-selected={path === active}
            tabIndex={path === active ? 0 : -1}
            title={printable(path)}
            onClick={() => activate(path)}
          >
            {titleOf(path, files)}
            {isDirty && <span className="tab-dirty" role="img" aria-label="not saved" />}
          </button>
        ))}
      </div>
      {file && (
        <IconButton
          icon="close"
          label={`Close ${printable(fileName(file.path))}`}
          title="Close this file"
          onClick={() => closeAndFocus(file.path)}
        />
      )}
      <IconButton
        icon="save"
        label="Save"
        className="tabs-end"
        title="Save (Ctrl+S)"
        disabled={!isReady || !file.isDirty}
        onClick={() => file && void save(file.path)}
      />
      <IconButton
        icon="find"
        label="Find in the file"
        title="Find and replace (Ctrl+F)"
        disabled={!isReady}
        onClick={onFind}
      />
      <IconButton
        icon="wrap"
        label="Wrap long lines"
        aria-pressed={isWrapped}
        onClick={() => setWrapped(!isWrapped)}
      />
    </div>
  );
}

/** Returns the name of a file, with that of its folder if another one has the same name. */
function titleOf(path: string, files: readonly OpenFile[]): string {
  const name = fileName(path);
  const isAlone = files.every((other) => other.path === path || fileName(other.path) !== name);
  return printable(isAlone ? name : `${name} – ${fileName(parentOf(path)) || '/'}`);
}
