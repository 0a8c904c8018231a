import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { printable } from '../../text/byte-text.ts';
import { formatBytes } from '../model/format.ts';
import { destinationOf, type FileRow, type NoteRow, parentOf, ROOT, type Row } from '../model/tree.ts';
import { dragged, expectDrag, LARGEST_DRAGGED } from '../stores/drag-out.ts';
import { useEditor } from '../stores/editor.ts';
import { useFiles } from '../stores/files.ts';
import { useJobs } from '../stores/jobs.ts';
import { Icon } from './Icon.tsx';

/** The time, in ms, after which a typed letter starts a new name. */
const TYPING_TIME = 1000;

/** The type of a row that is dragged. */
const DRAGGED = 'application/x-linuxrun-path';

/** Where the user types. */
const TEXTS = '.terminal-pane, .editor';
const SELECTED = '[role="tree"] [tabindex="0"]';

/** Focuses the selected row. */
export function focusTree(): void {
  document.querySelector<HTMLElement>(SELECTED)?.focus();
}

interface FilesTreeProps {
  readonly rows: readonly Row[];
  readonly selected: Row;
}

/** The tree, with the keys of the ARIA tree pattern. */
export function FilesTree({ rows, selected }: FilesTreeProps) {
  const select = useFiles((files) => files.select);
  const tree = useRef<HTMLDivElement>(null);
  const typed = useRef({ text: '', at: 0 });
  const [dropFolder, setDropFolder] = useState<string>();
  const at = rows.indexOf(selected);

  useEffect(() => {
    // They may have opened by themselves while the user types.
    if (!document.activeElement?.closest(TEXTS)) focusTree();
  }, []);
  // The focus follows the selection, also when the selected row is gone.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row of the selection may have changed
  useEffect(() => {
    const row = document.querySelector<HTMLElement>(SELECTED);
    if (tree.current?.contains(document.activeElement) || document.activeElement === document.body)
      row?.focus();
    row?.scrollIntoView({ block: 'nearest' });
  }, [selected.id, rows.length]);

  const onKeyDown = (event: KeyboardEvent) => {
    const { ctrlKey, metaKey, altKey, shiftKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    const key = shiftKey && event.key === 'Enter' ? 'Shift+Enter' : event.key;
    if (!isLetter(key)) typed.current.text = '';
    const next = rowFor(key, rows, at) ?? rowTyped(key, rows, at, typed.current);
    if (next) select(next.id);
    else if (!act(key, selected)) return;
    event.preventDefault();
  };
  const onDragOver = (event: DragEvent) => {
    setDropFolder(folderAt(event));
    // Files of this computer are for the page.
    if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    setDropFolder(undefined);
    const path = event.dataTransfer.getData(DRAGGED);
    const folder = folderAt(event);
    if (!path || folder === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    useFiles.getState().drop(path, folder);
  };
  return (
    <div
      ref={tree}
      role="tree"
      aria-label="Files of the container"
      className="tree"
      onKeyDown={onKeyDown}
      onDragOver={onDragOver}
      onDragLeave={() => setDropFolder(undefined)}
      onDrop={onDrop}
    >
      {rows.map((row, index) => (
        <TreeItem
          key={row.id}
          row={row}
          isSelected={index === at}
          isDropTarget={row.kind === 'file' && row.isExpanded !== undefined && row.path === dropFolder}
        />
      ))}
    </div>
  );
}

interface TreeItemProps {
  readonly row: Row;
  readonly isSelected: boolean;
  readonly isDropTarget: boolean;
}

function TreeItem({ row, isSelected, isDropTarget }: TreeItemProps) {
  const isOpen = row.kind === 'file' ? row.isExpanded : undefined;
  return (
    <div
      role="treeitem"
      className={`tree-item tree-${row.kind}`}
      data-folder={destinationOf(row)}
      data-drop={isDropTarget || undefined}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={isSelected}
      aria-expanded={isOpen}
      aria-disabled={row.kind === 'loading' || row.kind === 'empty' || row.kind === 'problem' || undefined}
      tabIndex={isSelected ? 0 : -1}
      draggable={row.kind === 'file' && canMove(row)}
      onPointerDown={() => {
        if (row.kind === 'file' && row.entry?.type === 'file' && row.entry.size <= LARGEST_DRAGGED)
          void expectDrag(row.path);
      }}
      onDragStart={({ dataTransfer }) => {
        dataTransfer.setData(DRAGGED, row.path);
        const file = dragged(row.path);
        if (file !== undefined) dataTransfer.setData('DownloadURL', file);
        dataTransfer.effectAllowed = 'copyMove';
      }}
      style={{ paddingInlineStart: `calc(${row.level - 1} * var(--indent) + 0.25rem)` }}
      onClick={() => {
        useFiles.getState().select(row.id);
        if (isOpen !== undefined || row.kind === 'more') act('Enter', row);
      }}
      onDoubleClick={() => {
        if (isOpen === undefined && row.kind === 'file') act('Enter', row);
      }}
      onKeyDown={() => {}}
    >
      {row.kind === 'file' ? <FileName row={row} /> : <span className="tree-note">{noteOf(row)}</span>}
    </div>
  );
}

function noteOf({ kind, text }: NoteRow): string {
  return kind === 'loading' ? `${text}…` : text;
}

function FileName({ row: { entry, isExpanded } }: { row: FileRow }) {
  const name = entry ? printable(entry.name) : ROOT;
  return (
    <>
      <span className="tree-mark">
        {isExpanded !== undefined && <Icon name={isExpanded ? 'down' : 'next'} />}
      </span>
      <Icon name={isExpanded === undefined ? 'file' : 'folder'} />
      <span className="tree-name" title={name}>
        {name}
      </span>
      {entry?.target && <span className="tree-target">→ {printable(entry.target.path)}</span>}
      {entry?.type === 'file' && <span className="tree-size">{formatBytes(entry.size)}</span>}
    </>
  );
}

/** Does what a key does with a row. @returns whether it does anything */
function act(key: string, row: Row): boolean {
  const { expand, collapse, showMore, select, ask } = useFiles.getState();
  if (row.kind === 'more' && isActivation(key)) void showMore(row.path);
  else if (row.kind !== 'file' && key === 'ArrowLeft') select(row.path);
  else if (row.kind !== 'file') return false;
  else if (key === 'ArrowRight' && row.isExpanded === false) void expand(row.path);
  else if (key === 'ArrowLeft' && row.isExpanded) collapse(row.path);
  else if (key === 'ArrowLeft') select(parentOf(row.path));
  else if (isActivation(key) && row.isExpanded !== undefined)
    row.isExpanded ? collapse(row.path) : void expand(row.path);
  else if (key === 'Enter' && isFile(row.entry)) void useEditor.getState().open(row.path);
  else if (key === 'Shift+Enter') downloadRow(row);
  else if (!canMove(row)) return false;
  else if (key === 'F2') ask({ kind: 'rename', path: row.path });
  else if (key === 'Delete')
    ask({ kind: 'delete', path: row.path, isFolder: row.entry?.type === 'directory' });
  else return false;
  return true;
}

/** Whether it can be renamed, moved and deleted. */
export function canMove({ path, entry }: FileRow): boolean {
  return path !== ROOT && !entry?.isMountPoint;
}

/** Returns the folder that something is dropped on. */
function folderAt({ target }: DragEvent): string | undefined {
  return (target as Element).closest<HTMLElement>('[data-folder]')?.dataset.folder;
}

/** Downloads a file, or a folder as a zip. */
export function downloadRow({ path, entry, isExpanded }: FileRow): void {
  const { download, downloadFolder } = useJobs.getState();
  if (isExpanded !== undefined) void downloadFolder(path);
  // A link's own size says nothing of the file that it leads to.
  else if (isFile(entry)) void download(path, entry?.type === 'file' ? entry.size : undefined);
}

/** Whether it is a file with content, or a link to one. */
export function isFile(entry: FileRow['entry']): boolean {
  return (entry?.target?.type ?? entry?.type) === 'file';
}

/** Whether the key types a character of a name. */
function isLetter(key: string): boolean {
  return [...key].length === 1 && key !== ' ';
}

function isActivation(key: string): boolean {
  return key === 'Enter' || key === ' ';
}

/** Returns the row that a key leads to. */
function rowFor(key: string, rows: readonly Row[], at: number): Row | undefined {
  const row = rows[at];
  switch (key) {
    case 'ArrowDown':
      return rows[at + 1] ?? row;
    case 'ArrowUp':
      return rows[at - 1] ?? row;
    case 'Home':
      return rows[0];
    case 'End':
      return rows.at(-1);
    case 'ArrowRight':
      return row?.kind === 'file' && row.isExpanded ? rows[at + 1] : undefined;
    default:
      return undefined;
  }
}

/** Returns the next row whose name starts with what is being typed. */
function rowTyped(
  key: string,
  rows: readonly Row[],
  at: number,
  typed: { text: string; at: number },
): Row | undefined {
  if (!isLetter(key)) return undefined;
  const now = performance.now();
  typed.text = now - typed.at < TYPING_TIME ? typed.text + key.toLowerCase() : key.toLowerCase();
  typed.at = now;
  const start = typed.text.length === 1 ? at + 1 : at;
  return [...rows.slice(start), ...rows.slice(0, start)].find(
    (row) => row.kind === 'file' && row.entry?.name.toLowerCase().startsWith(typed.text),
  );
}
