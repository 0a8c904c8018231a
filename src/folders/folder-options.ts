import type { SharedFolder } from './shared-folder.ts';

/** A folder to share, as the owner of a machine describes it to the machine's worker. Places: `placeOf`. */
export type FolderOptions =
  /** One of the host, in Node. */
  | { readonly kind: 'host'; readonly path: string }
  /** One that the browser keeps, by its name. */
  | { readonly kind: 'stored'; readonly name: string }
  /** One of the computer that the user has picked in a browser. */
  | { readonly kind: 'picked'; readonly handle: FileSystemDirectoryHandle; readonly place: string }
  /** One in another thread, where `serveFolder` has the other end of the port. */
  | { readonly kind: 'remote'; readonly port: MessagePort; readonly place: string };

/** A name that two folders share if files of the same inode, or else of the same way, are the same. */
export function placeOf(folder: FolderOptions): string {
  if (folder.kind === 'host') return 'host';
  return folder.kind === 'stored' ? `stored ${folder.name}` : folder.place;
}

/** What moves with a description to another thread. */
export function portsOf(folder: FolderOptions): MessagePort[] {
  return folder.kind === 'remote' ? [folder.port] : [];
}

export type OpenFolder = (options: FolderOptions) => SharedFolder | Promise<SharedFolder>;
