import type { SharedFolder } from '../folders/shared-folder.ts';
import type { StoredFolderItem } from '../folders/stored-folders.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { OptionError } from '../options/option-error.mjs';
import { containerHost } from './host.ts';

/**
 * A folder that the browser keeps, by its name. It outlives containers, and one container at a time has it.
 * Containers make it when they mount it for the first time.
 */
export class BrowserFolder {
  /** Its name: letters, digits, `_`, `.` and `-`. */
  readonly name: string;

  /** @throws OptionError if the name is invalid */
  constructor(name: string) {
    checkContainerName(name);
    this.name = name;
  }

  /** The folders that the browser keeps for this page's origin. */
  static async list(): Promise<StoredFolderItem[]> {
    return (await containerHost().folders?.list()) ?? [];
  }

  /** Removes it with all that is in it. @throws StorageError if a container has it */
  async remove(): Promise<void> {
    await storedFolders().remove(this.name);
  }
}

/** A folder of the computer that the user has picked: a `FileSystemDirectoryHandle`. */
export interface PickedDirectory {
  /** Always `directory`. */
  readonly kind: 'directory';
  /** Its name on the computer. */
  readonly name: string;
}

/** A folder that a container can share. */
export type MountedFolder = string | SharedFolder | BrowserFolder | PickedDirectory;

/** @throws OptionError in Node */
export function storedFolders() {
  const { folders } = containerHost();
  if (!folders) throw new OptionError('only browsers have folders with names: give the path of one');
  return folders;
}
