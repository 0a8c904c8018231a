import { useRef } from 'react';
import { printable } from '../../text/byte-text.ts';
import { pickedFiles } from '../model/dropped.ts';
import { formatBytes } from '../model/format.ts';
import { type FileRow, formatMode, rowAt } from '../model/tree.ts';
import { useEditor } from '../stores/editor.ts';
import { destination, filesRows, useFiles } from '../stores/files.ts';
import { useLayout } from '../stores/layout.ts';
import { useSearch } from '../stores/search.ts';
import { Button, IconButton } from './Button.tsx';
import { focusFiles } from './FilesButton.tsx';
import { FilesQuestion } from './FilesQuestion.tsx';
import { FilesSearch } from './FilesSearch.tsx';
import { canMove, downloadRow, FilesTree, isFile } from './FilesTree.tsx';
import { Jobs } from './Jobs.tsx';
import { sized } from './sized.ts';

/** The container's files: a tree, and what can be done with them. */
export default function FilesPanel() {
  const { folders, expanded, selected, question, hide, ask } = useFiles();
  const size = useLayout(({ sizes }) => sizes.files);
  const rows = filesRows({ folders, expanded });
  const row = rowAt(rows, selected);
  const isSearching = useSearch(({ isShown }) => isShown);
  const endSearch = () => useSearch.getState().hide();
  const close = () => {
    hide();
    focusFiles();
  };
  return (
    <aside
      id="files"
      className="files"
      aria-label="Files"
      style={sized(size)}
      onKeyDown={(event) => {
        // The keys of a dialog come here too.
        if (question) return;
        if (event.key === 'Escape') isSearching ? endSearch() : close();
        if (event.key !== 'f' || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        useSearch.getState().show(destination());
      }}
    >
      <div className="files-header">
        <h2>Files</h2>
        <IconButton
          icon="find"
          label="Find in the files"
          title="Find in the files (Ctrl+F)"
          aria-pressed={isSearching}
          onClick={() => (isSearching ? endSearch() : useSearch.getState().show(destination()))}
        />
        <IconButton
          icon="newFile"
          label="New file"
          onClick={() => ask({ kind: 'new-file', folder: destination() })}
        />
        <IconButton
          icon="newFolder"
          label="New folder"
          onClick={() => ask({ kind: 'new-folder', folder: destination() })}
        />
        <IconButton
          icon="restart"
          label="Read the folders again"
          onClick={() => void useFiles.getState().refresh()}
        />
        <IconButton icon="close" label="Close the files" onClick={close} />
      </div>
      {isSearching ? (
        <FilesSearch />
      ) : (
        <>
          <UploadBar />
          <FilesTree rows={rows} selected={row} />
          {row.kind === 'file' && <Details row={row} />}
        </>
      )}
      <Jobs />
      {question && <FilesQuestion question={question} />}
    </aside>
  );
}

/** Uploads into the selected folder. */
function UploadBar() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { offer } = useFiles.getState();
  const take = (input: HTMLInputElement) => {
    const picked = pickedFiles(input.files ?? []);
    input.value = '';
    if (picked.length > 0) void offer(picked, destination());
  };
  return (
    <div className="files-bar">
      <Button icon="upload" look="plain" onClick={() => files.current?.click()}>
        Upload files
      </Button>
      <Button icon="upload" look="plain" onClick={() => folder.current?.click()}>
        Upload folder
      </Button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={({ target }) => take(target)}
      />
      <input
        ref={folder}
        type="file"
        webkitdirectory=""
        hidden
        aria-label="Folder to upload"
        onChange={({ target }) => take(target)}
      />
    </div>
  );
}

/** The selected file, and what can be done with it. */
function Details({ row }: { row: FileRow }) {
  const { ask } = useFiles.getState();
  const { path, entry, isExpanded } = row;
  const isFolder = isExpanded !== undefined;
  const canChange = canMove(row);
  return (
    <section className="files-details" aria-label="Selected">
      <p className="files-path" title={printable(path)}>
        {printable(path)}
      </p>
      <p className="quiet">{entry ? describe(entry) : 'The root of the container’s files'}</p>
      <div className="files-actions">
        {!isFolder && (
          <Button
            icon="file"
            look="plain"
            disabled={!isFile(entry)}
            onClick={() => void useEditor.getState().open(path)}
          >
            Edit
          </Button>
        )}
        <Button
          icon="download"
          look="plain"
          disabled={!isFolder && !isFile(entry)}
          onClick={() => downloadRow(row)}
        >
          {isFolder ? 'Download as zip' : 'Download'}
        </Button>
        <Button
          icon="rename"
          look="plain"
          disabled={!canChange}
          onClick={() => ask({ kind: 'rename', path })}
        >
          Rename
        </Button>
        <Button icon="move" look="plain" disabled={!canChange} onClick={() => ask({ kind: 'move', path })}>
          Move
        </Button>
        <Button
          icon="trash"
          look="danger"
          disabled={!canChange}
          onClick={() => ask({ kind: 'delete', path, isFolder: entry?.type === 'directory' })}
        >
          Delete
        </Button>
      </div>
    </section>
  );
}

function describe({
  type,
  mode,
  size,
  uid,
  gid,
  mtime,
  target,
  isMountPoint,
}: NonNullable<FileRow['entry']>) {
  const kind = isMountPoint ? 'mounted file system' : type === 'directory' ? 'folder' : type;
  const what = type === 'file' ? formatBytes(size) : target ? `link to ${printable(target.path)}` : kind;
  const time = mtime.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  return `${what}, ${formatMode(mode)}, user ${uid}, group ${gid}, ${time}`;
}
