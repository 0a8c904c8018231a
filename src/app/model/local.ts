import type { LocalImage } from '../machine/messages.ts';
import { fileName, readReference } from './names.ts';

export function localFile(file: File): LocalImage {
  return { kind: 'file', name: file.name, file };
}

/** @param files the files of a folder and of all folders below, from a folder picker: at least one */
export function localFolder(files: readonly File[]): LocalImage {
  const [name = ''] = files[0]?.webkitRelativePath.split('/') ?? [];
  const byPath = files.map((file) => [file.webkitRelativePath.slice(name.length + 1), file] as const);
  return { kind: 'folder', name, files: new Map(byPath) };
}

/** Whether an image reference names this file or folder. */
export function isReferenceTo(local: LocalImage, image: string): boolean {
  const reference = readReference(image);
  return reference?.scheme === 'file' && fileName(reference.path) === local.name;
}

/** Returns the file or folder that was dropped on the page, or undefined for anything else. */
export async function droppedImage(items: DataTransferItemList): Promise<LocalImage | undefined> {
  const [entry] = [...items].map((item) => item.webkitGetAsEntry()).filter((item) => item !== null);
  if (!entry) return undefined;
  if (entry.isFile) return localFile(await fileOf(entry as FileSystemFileEntry));
  const files = new Map<string, File>();
  await collect(entry as FileSystemDirectoryEntry, '', files);
  return { kind: 'folder', name: entry.name, files };
}

async function collect(
  folder: FileSystemDirectoryEntry,
  prefix: string,
  files: Map<string, File>,
): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const path = prefix + entry.name;
    if (entry.isFile) files.set(path, await fileOf(entry as FileSystemFileEntry));
    else await collect(entry as FileSystemDirectoryEntry, `${path}/`, files);
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
