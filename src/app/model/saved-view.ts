/** What the page shows of a session, as it is saved with the session and restored with it. */
import { type Plain, StateReader } from '../../api/state.ts';
import { isPreviewId, newPreviewId } from '../../preview/names.ts';

export interface SavedTerminal {
  /** The number of its process in the session. */
  readonly process: number;
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  /** Control sequences that show it again. */
  readonly content: string;
  /** Output that follows the content. */
  readonly unshown: Uint8Array<ArrayBuffer>;
}

export interface SavedPreview {
  readonly port: number;
  readonly path: string;
}

export interface SavedFile {
  readonly path: string;
  /** Text that the container does not have, and what it had instead; null for no file. */
  readonly unsaved: { readonly text: string; readonly base: string | null } | null;
}

export interface SavedView {
  /** The numbers of all processes with terminals, in the order of their start; the container's own is 0. */
  readonly processes: readonly number[];
  /** In the order of their tabs. */
  readonly terminals: readonly SavedTerminal[];
  /** The number of the process whose terminal is visible. */
  readonly active: number;
  /** That of the process whose terminal is beside it; -1 for none. */
  readonly beside: number;
  readonly files: {
    readonly isShown: boolean;
    /** The paths of the open folders. */
    readonly expanded: readonly string[];
    readonly selected: string;
  };
  /** The files in the editor, in the order of their tabs. */
  readonly editor: {
    readonly open: readonly SavedFile[];
    /** The path of the visible one; empty for none. */
    readonly active: string;
    /** Whether it covers the other panes of a narrow screen. */
    readonly isInFront: boolean;
    readonly isWrapped: boolean;
  };
  readonly previews: {
    /** The part of their origins that no other site can guess. */
    readonly id: string;
    readonly isShown: boolean;
    readonly active: number;
    readonly open: readonly SavedPreview[];
  };
}

/** The second one has an editor and terminals beside each other. */
const VERSION = 2;
/** More than anybody opens. */
const MOST_TERMINALS = 256;
const MOST_FOLDERS = 10_000;
const MOST_PREVIEWS = 1024;
const MOST_FILES = 1024;
/** In characters. */
const LONGEST_TITLE = 4096;
const LONGEST_PATH = 8192;
/** A screen with all of its scrollback, every character in a colour of its own. */
const LONGEST_CONTENT = 64 << 20;
/** More than the editor opens. */
const LONGEST_TEXT = 64 << 20;
const MOST_UNSHOWN = 16 << 20;
const LARGEST_SCREEN = 10_000;
const LARGEST_PROCESS = Number.MAX_SAFE_INTEGER;
const LARGEST_PORT = 65_535;

export function writeView(view: SavedView): Plain {
  const { processes, terminals, active, beside, files, editor, previews } = view;
  return {
    version: VERSION,
    ...{ processes, active, beside },
    terminals: terminals.map((terminal) => ({ ...terminal })),
    files: { ...files },
    editor: {
      ...editor,
      open: editor.open.map(({ path, unsaved }) => ({ path, unsaved: unsaved && { ...unsaved } })),
    },
    previews: { ...previews, open: previews.open.map((preview) => ({ ...preview })) },
  };
}

/** @throws StateError, because a saved session may come from a stranger */
export function readView(saved: Plain): SavedView {
  const view = new StateReader(saved, 'what the page shows');
  const version = view.field('version').integer(1, VERSION);
  const files = view.field('files');
  return {
    processes: view.field('processes').list(MOST_TERMINALS).map(readProcess),
    terminals: view.field('terminals').list(MOST_TERMINALS).map(readTerminal),
    active: readProcess(view.field('active')),
    beside: version === 1 ? -1 : view.field('beside').integer(-1, LARGEST_PROCESS),
    files: {
      isShown: files.field('isShown').boolean(),
      expanded: files
        .field('expanded')
        .list(MOST_FOLDERS)
        .map((path) => path.text(LONGEST_PATH)),
      selected: files.field('selected').text(LONGEST_PATH),
    },
    editor: version === 1 ? NO_EDITOR : readEditor(view.field('editor')),
    previews: readPreviews(view.field('previews')),
  };
}

const readProcess = (process: StateReader): number => process.integer(0, LARGEST_PROCESS);

const NO_EDITOR = { open: [], active: '', isInFront: false, isWrapped: false };

function readEditor(editor: StateReader): SavedView['editor'] {
  return {
    open: editor.field('open').list(MOST_FILES).map(readFile),
    active: editor.field('active').text(LONGEST_PATH),
    isInFront: editor.field('isInFront').boolean(),
    isWrapped: editor.field('isWrapped').boolean(),
  };
}

function readFile(file: StateReader): SavedFile {
  const unsaved = file.field('unsaved').optional();
  return {
    path: file.field('path').text(LONGEST_PATH),
    unsaved: unsaved
      ? {
          text: unsaved.field('text').text(LONGEST_TEXT),
          base: unsaved.field('base').optional()?.text(LONGEST_TEXT) ?? null,
        }
      : null,
  };
}

function readTerminal(terminal: StateReader): SavedTerminal {
  return {
    process: readProcess(terminal.field('process')),
    title: terminal.field('title').text(LONGEST_TITLE),
    columns: terminal.field('columns').integer(1, LARGEST_SCREEN),
    rows: terminal.field('rows').integer(1, LARGEST_SCREEN),
    content: terminal.field('content').text(LONGEST_CONTENT),
    unshown: terminal.field('unshown').bytes(0, MOST_UNSHOWN),
  };
}

function readPreviews(previews: StateReader): SavedView['previews'] {
  const id = previews.field('id').text(LONGEST_TITLE);
  return {
    // A file for others has none.
    id: isPreviewId(id) ? id : newPreviewId(),
    isShown: previews.field('isShown').boolean(),
    active: previews.field('active').integer(0, LARGEST_PORT),
    open: previews
      .field('open')
      .list(MOST_PREVIEWS)
      .map((preview) => ({
        port: preview.field('port').integer(1, LARGEST_PORT),
        path: preview.field('path').text(LONGEST_PATH),
      })),
  };
}
