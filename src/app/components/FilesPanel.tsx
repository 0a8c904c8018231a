import { useRef } from 'react';
import { printable } from '../../text/byte-text.ts';
import { pickedFiles } from '../model/dropped.ts';
import { formatBytes } from '../model/format.ts';
import { type FileRow, formatMode, ROOT, rowAt } from '../model/tree.ts';
import { destination, filesRows, useFiles } from '../stores/files.ts';
import { useJobs } from '../stores/jobs.ts';
import { Button, IconButton } from './Button.tsx';
import { FILES_BUTTON_ID } from './FilesButton.tsx';
import { FilesQuestion } from './FilesQuestion.tsx';
import { FilesTree } from './FilesTree.tsx';
import { Jobs } from './Jobs.tsx';

/** The container's files: a tree, and what can be done with them. */
export default function FilesPanel() {
  const { folders, expanded, selected, question, hide } = useFiles();
  const rows = filesRows({ folders, expanded });
  const row = rowAt(rows, selected);
  const close = () => {
    hide();
    document.getElementById(FILES_BUTTON_ID)?.focus();
  };
  return (
    <aside
      className="files"
      aria-label="Files"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !question) close();
      }}
    >
      <div className="files-header">
        <h2>Files</h2>
        <IconButton
          icon="restart"
          label="Read the folders again"
          onClick={() => void useFiles.getState().refresh()}
        />
        <IconButton icon="close" label="Close the files" onClick={close} />
      </div>
      <UploadBar />
      <FilesTree rows={rows} selected={row} />
      {row.kind === 'file' && <Details row={row} />}
      <Jobs />
      {question && <FilesQuestion question={question} />}
    </aside>
  );
}

/** Uploads into the selected folder. */
function UploadBar() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { ask, offer } = useFiles.getState();
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
      <IconButton
        icon="newFolder"
        label="New folder"
        onClick={() => ask({ kind: 'new-folder', folder: destination() })}
      />
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
function Details({ row: { path, entry, isExpanded } }: { row: FileRow }) {
  const { ask } = useFiles.getState();
  const { download, downloadFolder } = useJobs.getState();
  const isFolder = isExpanded !== undefined;
  const isFile = (entry?.target?.type ?? entry?.type) === 'file';
  const canChange = path !== ROOT && !entry?.isMountPoint;
  return (
    <section className="files-details" aria-label="Selected">
      <p className="files-path" title={printable(path)}>
        {printable(path)}
      </p>
      <p className="quiet">{entry ? describe(entry) : 'The root of the container’s files'}</p>
      <div className="files-actions">
        <Button
          icon="download"
          look="plain"
          disabled={!isFolder && !isFile}
          onClick={() => void (isFolder ? downloadFolder(path) : download(path, sizeOf(entry)))}
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

/** A link's own size says nothing of the file that it leads to. */
function sizeOf(entry: FileRow['entry']): number | undefined {
  return entry?.type === 'file' ? entry.size : undefined;
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
