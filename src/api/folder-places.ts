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
  // One after the other, so that what is added meanwhile is compared as well.
  for (const [index, other] of picked.entries())
    if (await other.isSameEntry(handle)) return `picked ${index}`;
  return `picked ${picked.push(handle) - 1}`;
}
