/** Names of folders for `placeOf`: containers that share a folder of this thread have its locks in common. */
import type { SharedFolder } from '../folders/shared-folder.ts';

const own = new WeakMap<SharedFolder, string>();
const picked: FileSystemDirectoryHandle[] = [];
let folders = 0;

export function placeOfOwn(folder: SharedFolder): string {
  const place = own.get(folder) ?? `own ${folders++}`;
  own.set(folder, place);
  return place;
}

/** Browsers make a new handle each time a folder is picked. */
export async function placeOfPicked(handle: FileSystemDirectoryHandle): Promise<string> {
  const same = await Promise.all(picked.map((other) => other.isSameEntry(handle)));
  const known = same.indexOf(true);
  return `picked ${known < 0 ? picked.push(handle) - 1 : known}`;
}
