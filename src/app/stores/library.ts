import { create } from 'zustand';
import { browserLibrary } from '../../api/browser-library.ts';
import { installLibrary } from '../../api/host.ts';
import * as images from '../../api/images.ts';
import { messageOf } from '../../text/message.ts';

interface LibraryState {
  /** Whether the dialog is open. */
  readonly isShown: boolean;
  readonly images: readonly images.StoredImage[];
  /** Where new containers begin, in place of the start of their programs. */
  readonly starts: readonly images.SavedStart[];
  readonly storage: images.StorageUse | undefined;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  show(isShown: boolean): void;
  refresh(): Promise<void>;
  /** Removes an image, and its layers if no other image needs them. */
  remove(reference: string): Promise<void>;
  /** Removes all images but those in use. */
  removeAll(): Promise<void>;
  /** Lets new containers begin at the start of their programs again. */
  removeStart(id: string): Promise<void>;
  persist(): Promise<void>;
}

installLibrary(browserLibrary);

export const useLibrary = create<LibraryState>((set, get) => {
  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action();
      set({ problem: undefined });
    } catch (error) {
      set({ problem: messageOf(error) });
    }
  };
  const load = async () => {
    const [list, starts, storage] = await Promise.all([images.list(), images.starts(), images.storage()]);
    set({ images: list, starts, storage });
  };
  const remove = async (references: readonly string[]) => {
    for (const reference of references) await images.remove(reference);
    await load();
  };
  return {
    isShown: false,
    images: [],
    starts: [],
    storage: undefined,
    problem: undefined,
    show: (isShown) => set({ isShown }),
    refresh: () => attempt(load),
    remove: (reference) => attempt(() => remove([reference])),
    removeAll: () =>
      attempt(() => {
        const unused = get().images.filter(({ inUse }) => !inUse);
        return remove(unused.map(({ reference }) => reference));
      }),
    removeStart: (id) =>
      attempt(async () => {
        await images.removeStart(id);
        await load();
      }),
    persist: () =>
      attempt(async () => {
        await images.persist();
        await load();
      }),
  };
});
