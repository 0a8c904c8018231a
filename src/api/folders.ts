/** The folders that a browser keeps, for the page. */
export { browserFolders } from '../folders/browser.ts';
export {
  type FolderEntry,
  isFolder,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type SharedFolder,
  type Way,
} from '../folders/shared-folder.ts';
