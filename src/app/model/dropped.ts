/** A file, or a folder without a file, below the place where it was picked. */
export interface Picked {
  /** With the names of its folders. */
  readonly path: string;
  /** Undefined for a folder. */
  readonly file: File | undefined;
}

/** Returns what was picked by a file or folder picker. */
export function pickedFiles(files: Iterable<File>): Picked[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Returns what was dropped on the page, with all that is in dropped folders. */
export async function droppedFiles(items: DataTransferItemList): Promise<Picked[]> {
  // The items are gone after the event.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found: Picked[] = [];
  for (const entry of entries) await collect(entry, '', found);
  return found;
}

async function collect(entry: FileSystemEntry, prefix: string, found: Picked[]): Promise<void> {
  const path = prefix + entry.name;
  if (entry.isFile) {
    found.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
  } else {
    found.push({ path, file: undefined });
    for (const inside of await entriesOf(entry as FileSystemDirectoryEntry))
      await collect(inside, `${path}/`, found);
  }
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    // Browsers return a few entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return entries;
    for (const entry of some) entries.push(entry);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
