/**
 * Files that are dragged out of the tree to this computer. Chromium downloads the address that a drag
 * carries, and wants it when the drag begins, so the file is read when the mouse goes down on it.
 */
import { proxy } from 'comlink';
import { printable } from '../../text/byte-text.ts';
import { fileName } from '../model/names.ts';
import { savedName } from '../model/tree.ts';
import { current } from './connection.ts';
import { newJob } from './jobs.ts';

/** Larger files are downloaded by the button. */
export const LARGEST_DRAGGED = 16 << 20;
const TYPE = 'application/octet-stream';

interface Draggable {
  readonly connection: typeof current.connection;
  readonly path: string;
  readonly url: string;
}

let ready: Draggable | undefined;
let latest = 0;

/** Reads a file that may be dragged next. */
export async function expectDrag(path: string): Promise<void> {
  forget();
  const job = newJob();
  latest = job;
  // Why it cannot be read is told when it is downloaded.
  const { connection } = current;
  const content = await connection?.session.files
    .download(
      job,
      path,
      proxy(() => {}),
    )
    .catch(() => undefined);
  if (content && latest === job) ready = { connection, path, url: URL.createObjectURL(content) };
}

/** The file as a drag carries it; undefined if it is not there yet. */
export function dragged(path: string): string | undefined {
  if (ready?.path !== path || ready.connection !== current.connection) return undefined;
  return `${TYPE}:${savedName(printable(fileName(path)))}:${ready.url}`;
}

function forget(): void {
  current.connection?.session.files.cancel(latest);
  if (ready) URL.revokeObjectURL(ready.url);
  ready = undefined;
}
