import type { LocalImage } from '../machine/messages.ts';
import { droppedFiles } from './dropped.ts';
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
  const [first, ...rest] = await droppedFiles(items);
  if (!first) return undefined;
  if (first.file) return localFile(first.file);
  const files = new Map<string, File>();
  for (const { path, file } of rest)
    if (file && path.startsWith(`${first.path}/`)) files.set(path.slice(first.path.length + 1), file);
  return { kind: 'folder', name: first.path, files };
}
