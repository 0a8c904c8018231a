/** The folders that the next container shares. */
import { normaliseMountPath } from '../../options/mount-path.mjs';
import { messageOf } from '../../text/message.ts';

/** Where the first folder is in the container. */
export const FIRST_PATH = '/work';

/** A folder of the computer, or one that the browser keeps by its name. */
export type FolderSource =
  | { readonly kind: 'picked'; readonly handle: FileSystemDirectoryHandle }
  | { readonly kind: 'kept'; readonly name: string };

/** A folder that the user has chosen. */
export interface ChosenFolder {
  readonly source: FolderSource;
  /** Where the container sees it, as the user typed it. */
  readonly path: string;
  readonly mayWrite: boolean;
}

export function folderName({ source }: ChosenFolder): string {
  return source.kind === 'picked' ? source.handle.name : source.name;
}

/** Why a container cannot have these folders; undefined if it can. */
export function foldersProblem(folders: readonly ChosenFolder[]): string | undefined {
  const paths = new Set<string>();
  for (const { path } of folders)
    try {
      paths.add(normaliseMountPath(path, 'a shared folder'));
    } catch (error) {
      return messageOf(error);
    }
  return paths.size < folders.length ? 'two folders have the same place: change one of them' : undefined;
}

/** A place that no other folder has. */
export function freePath(folders: readonly ChosenFolder[]): string {
  const taken = new Set(folders.map(({ path }) => path));
  for (let number = 1; ; number++) {
    const path = number === 1 ? FIRST_PATH : `${FIRST_PATH}${number}`;
    if (!taken.has(path)) return path;
  }
}

/** A name for a folder of the browser, after that of another folder. */
export function keptName(name: string, taken: readonly string[]): string {
  const clean =
    name
      .replaceAll(/[^a-zA-Z0-9_.-]+/g, '-')
      .replace(/^[^a-zA-Z0-9]+/, '')
      .slice(0, 50) || 'folder';
  for (let number = 1; ; number++) {
    const unique = number === 1 ? clean : `${clean}-${number}`;
    if (!taken.includes(unique)) return unique;
  }
}
