import { type KeyboardEvent, useEffect, useRef } from 'react';
import { printable } from '../../text/byte-text.ts';
import type { Hit } from '../machine/search.ts';
import { count } from '../model/format.ts';
import { useEditor } from '../stores/editor.ts';
import { useFiles } from '../stores/files.ts';
import { useSearch } from '../stores/search.ts';
import { Button } from './Button.tsx';
import { Icon } from './Icon.tsx';

/** Finds names and texts in the container's files. */
export function FilesSearch() {
  const { folder, text, matchesCase, state, hits } = useSearch();
  const { setText, setMatchesCase, start, cancel } = useSearch.getState();
  const field = useRef<HTMLInputElement>(null);
  const isRunning = state === 'running';
  useEffect(() => field.current?.focus(), []);
  return (
    <search className="files-search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <input
          ref={field}
          aria-label={`Find in ${printable(folder)}`}
          placeholder={`Find in ${printable(folder)}`}
          value={text}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          onChange={({ target }) => setText(target.value)}
        />
        <div className="files-actions">
          <label className="check">
            <input
              type="checkbox"
              checked={matchesCase}
              onChange={({ target }) => setMatchesCase(target.checked)}
            />
            Match case
          </label>
          {isRunning ? (
            <Button icon="close" look="plain" onClick={cancel}>
              Cancel
            </Button>
          ) : (
            <Button icon="find" look="plain" type="submit" disabled={text === ''}>
              Find
            </Button>
          )}
        </div>
      </form>
      <p className="quiet" role="status">
        <Outcome />
      </p>
      <Hits hits={hits} text={text} />
    </search>
  );
}

function Outcome() {
  const { state, hits, result, problem } = useSearch();
  const found = `${count(hits.length, 'place')} in ${count(new Set(hits.map(({ path }) => path)).size, 'file')}`;
  switch (state) {
    case 'idle':
      return 'Finds names and text.';
    case 'running':
      return `Searching: ${found}`;
    case 'cancelled':
      return `Cancelled: ${found}`;
    case 'failed':
      return problem;
    case 'done': {
      const more = result?.isCut ? '. There are more: search in a folder below, or for more text' : '';
      const left = result?.skipped ? `. ${result.skipped} could not be read` : '';
      return `${found}${more}${left}`;
    }
  }
}

/** The places, which the arrow keys walk through. */
function Hits({ hits, text }: { hits: readonly Hit[]; text: string }) {
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const buttons = [...event.currentTarget.querySelectorAll('button')];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    buttons[at + step]?.focus();
  };
  return (
    <ul className="hits" aria-label="Places" onKeyDown={move}>
      {hits.map((hit, index) => (
        <li key={`${hit.path}\0${hit.line}`}>
          <button type="button" className="hit" tabIndex={index === 0 ? 0 : -1} onClick={() => go(hit, text)}>
            <span className="hit-place" title={printable(hit.path)}>
              <Icon name={hit.line === 0 ? 'folder' : 'file'} />
              <span>{printable(hit.path)}</span>
              {hit.line > 0 && <span className="hit-line">{`line ${hit.line}`}</span>}
            </span>
            {hit.line > 0 && <code>{printable(hit.excerpt)}</code>}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Opens a file at the line, or shows what has the name in the tree. */
function go({ path, line, column }: Hit, { length }: string): void {
  if (line > 0) void useEditor.getState().open(path, { line, column, length });
  else
    void useFiles
      .getState()
      .reveal(path)
      .then(() => useSearch.getState().hide());
}
