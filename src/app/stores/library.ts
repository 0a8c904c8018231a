import { create } from 'zustand';
import { browserLibrary } from '../../api/browser-library.ts';
import { installLibrary } from '../../api/host.ts';
import * as images from '../../api/images.ts';
import { messageOf } from '../../text/message.ts';

interface LibraryState {
  /** Whether the dialog is open. */
  readonly isShown: boolean;
  readonly images: readonly images.StoredImage[];
  readonly storage: images.StorageUse | undefined;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  show(isShown: boolean): void;
  refresh(): Promise<void>;
  /** Removes an image, and its layers if no other image needs them. */
  remove(reference: string): Promise<void>;
  /** Removes all images but those in use. */
  removeAll(): Promise<void>;
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
    const [list, storage] = await Promise.all([images.list(), images.storage()]);
    set({ images: list, storage });
  };
  const remove = async (references: readonly string[]) => {
    for (const reference of references) await images.remove(reference);
    await load();
  };
  return {
    isShown: false,
    images: [],
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
    persist: () =>
      attempt(async () => {
        await images.persist();
        await load();
      }),
  };
});
