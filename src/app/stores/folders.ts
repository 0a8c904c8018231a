import { create } from 'zustand';
import type { BrowserFolderItem } from '../../api/public.ts';
import { messageOf } from '../../text/message.ts';
import { type ChosenFolder, type FolderSource, folderName, freePath, keptName } from '../model/folders.ts';
import { loadMachinery } from './connection.ts';
import { useForm } from './form.ts';
import { knownFolders, rememberFolder } from './known-folders.ts';
import { save } from './save.ts';

interface FoldersState {
  /** What the next containers share, until the page is closed. */
  readonly chosen: readonly ChosenFolder[];
  /** Those that the browser keeps. */
  readonly kept: readonly BrowserFolderItem[];
  /** Those of the computer that were opened in earlier visits. */
  readonly known: readonly FileSystemDirectoryHandle[];
  /** What it is doing, for the user. */
  readonly work: string | undefined;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  refresh(): Promise<void>;
  /** Lets the user pick a folder of the computer. */
  pick(): Promise<void>;
  /** Opens one again, for which the browser may ask the user. */
  reopen(handle: FileSystemDirectoryHandle): Promise<void>;
  /** Copies the files of a folder into one of the browser. */
  upload(files: readonly File[]): Promise<void>;
  /** Chooses a folder of the browser, which is made if it is missing. A project in it is opened. */
  keep(name: string): Promise<void>;
  move(folder: ChosenFolder, path: string): void;
  /** Lets containers write to it. The browser asks the user first if it is one of the computer. */
  allowWriting(folder: ChosenFolder, isAllowed: boolean): Promise<void>;
  drop(folder: ChosenFolder): void;
  remove(name: string): Promise<void>;
  download(name: string): Promise<void>;
}

/** What lib.dom.d.ts leaves out (File System Access). */
interface Permitted {
  queryPermission(options: { mode: Access }): Promise<PermissionState>;
  requestPermission(options: { mode: Access }): Promise<PermissionState>;
}
type Access = 'read' | 'readwrite';
interface Picker {
  showDirectoryPicker?(options: { id: string; mode: Access }): Promise<FileSystemDirectoryHandle>;
}

/** Whether the browser can open folders of the computer. Chromium can; others copy them. */
export const canPick = () => (globalThis as Picker).showDirectoryPicker !== undefined;

export const useFolders = create<FoldersState>((set, get) => {
  /** Does something, and says why it fails. */
  const attempt = async (work: string | undefined, action: () => Promise<unknown>) => {
    set({ work, problem: undefined });
    try {
      await action();
    } catch (error) {
      // The user has closed the browser's dialog.
      if ((error as Error).name !== 'AbortError') set({ problem: messageOf(error) });
    } finally {
      set({ work: undefined });
    }
  };
  const list = async () => {
    const { withFolders } = await loadMachinery();
    set({ kept: await withFolders((folders) => folders.list()) });
  };
  const choose = (source: FolderSource, mayWrite: boolean) =>
    set(({ chosen }) => ({ chosen: [...chosen, { source, path: freePath(chosen), mayWrite }] }));
  const replace = (folder: ChosenFolder, change: Partial<ChosenFolder>) =>
    set(({ chosen }) => ({
      chosen: chosen.map((each) => (each === folder ? { ...each, ...change } : each)),
    }));
  return {
    chosen: [],
    kept: [],
    known: [],
    work: undefined,
    problem: undefined,
    refresh: () =>
      attempt(undefined, async () => {
        set({ known: canPick() ? await knownFolders() : [] });
        await list();
      }),
    pick: () =>
      attempt(undefined, async () => {
        const handle = await (globalThis as Picker).showDirectoryPicker?.({ id: 'linuxrun', mode: 'read' });
        if (!handle) return;
        choose({ kind: 'picked', handle }, false);
        set({ known: await rememberFolder(handle) });
      }),
    reopen: (handle) =>
      attempt(undefined, async () => {
        await permit(handle, 'read');
        choose({ kind: 'picked', handle }, false);
      }),
    upload: (files) => {
      const [folder = 'folder'] = files[0]?.webkitRelativePath.split('/') ?? [];
      const name = keptName(
        folder,
        get().kept.map(({ name }) => name),
      );
      return attempt(`Copies ${files.length} files into this browser…`, async () => {
        const { withFolders } = await loadMachinery();
        const given = files.map((file) => ({ path: file.webkitRelativePath, file }));
        await withFolders((folders) => folders.fill(name, given));
        choose({ kind: 'kept', name }, true);
        await list();
      });
    },
    keep: (name) =>
      attempt(undefined, async () => {
        const { withFolders } = await loadMachinery();
        const isThere = get().kept.some((item) => item.name === name);
        const project = isThere ? await withFolders((folders) => folders.readProject(name)) : undefined;
        if (!isThere) await withFolders((folders) => folders.create(name));
        if (project) useForm.getState().openProject(project);
        else choose({ kind: 'kept', name }, true);
        await list();
      }),
    move: (folder, path) => replace(folder, { path }),
    allowWriting: (folder, isAllowed) =>
      attempt(undefined, async () => {
        if (isAllowed && folder.source.kind === 'picked') await permit(folder.source.handle, 'readwrite');
        replace(folder, { mayWrite: isAllowed });
      }),
    drop: (folder) => set(({ chosen }) => ({ chosen: chosen.filter((each) => each !== folder) })),
    remove: (name) =>
      attempt(undefined, async () => {
        const { withFolders } = await loadMachinery();
        await withFolders((folders) => folders.remove(name));
        set(({ chosen }) => ({
          chosen: chosen.filter((each) => each.source.kind === 'picked' || folderName(each) !== name),
        }));
        await list();
      }),
    download: (name) =>
      attempt(`Packs ${name}…`, async () => {
        const { withFolders } = await loadMachinery();
        save(await withFolders((folders) => folders.zip(name)), `${name}.zip`);
      }),
  };
});

/** @throws Error if the user refuses */
async function permit(handle: FileSystemDirectoryHandle, mode: Access): Promise<void> {
  const permitted = handle as FileSystemDirectoryHandle & Partial<Permitted>;
  const state = (await permitted.requestPermission?.({ mode })) ?? 'granted';
  if (state === 'granted') return;
  const what = mode === 'read' ? 'reading' : 'writing';
  throw new Error(`${handle.name} is not open for ${what}: allow it when the browser asks`);
}
