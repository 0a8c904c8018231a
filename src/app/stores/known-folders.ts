/** The folders of the computer that were opened last, which the browser stores as handles. */
import { createStore, get, set } from 'idb-keyval';

const KEY = 'folders';
const MOST = 5;

const open = () => createStore('linuxrun-folders', 'handles');

/** The latest first; none where the browser stores nothing. */
export async function knownFolders(): Promise<FileSystemDirectoryHandle[]> {
  try {
    return (await get<FileSystemDirectoryHandle[]>(KEY, open())) ?? [];
  } catch {
    return [];
  }
}

/** @returns the known folders with this one */
export async function rememberFolder(
  handle: FileSystemDirectoryHandle,
): Promise<FileSystemDirectoryHandle[]> {
  const known = [handle];
  for (const other of await knownFolders()) if (!(await other.isSameEntry(handle))) known.push(other);
  const latest = known.slice(0, MOST);
  await set(KEY, latest, open()).catch(() => {});
  return latest;
}
