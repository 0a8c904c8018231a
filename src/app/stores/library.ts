import { create } from 'zustand';
import { browserLibrary } from '../../api/browser-library.ts';
import { installLibrary } from '../../api/host.ts';
import type { SavedStart, StorageUse, StoredImage } from '../../api/images.ts';
import { messageOf } from '../../text/message.ts';

interface LibraryState {
  /** Whether the dialog is open. */
  readonly isShown: boolean;
  readonly images: readonly StoredImage[];
  /** Where new containers begin, in place of the start of their programs. */
  readonly starts: readonly SavedStart[];
  readonly storage: StorageUse | undefined;
  /** Whether the browser asks the user about the storage. */
  readonly isAsking: boolean;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  show(isShown: boolean): void;
  refresh(): Promise<void>;
  /** Removes an image, and its layers if no other image needs them. */
  remove(reference: string, platform: string): Promise<void>;
  /** Removes all images but those in use. */
  removeAll(): Promise<void>;
  /** Lets new containers begin at the start of their programs again. */
  removeStart(id: string): Promise<void>;
  persist(): Promise<void>;
}

installLibrary(browserLibrary);

/** The form does not need this code, which also reads images. */
const loadImages = () => import('../../api/images.ts');

type Images = Awaited<ReturnType<typeof loadImages>>;

export const useLibrary = create<LibraryState>((set, get) => {
  /** Does something with the stored images, and shows the result. */
  const attempt = async (action: (images: Images) => Promise<unknown>) => {
    try {
      const images = await loadImages();
      await action(images);
      const [list, starts, storage] = await Promise.all([images.list(), images.starts(), images.storage()]);
      set({ images: list, starts, storage, problem: undefined });
    } catch (error) {
      set({ problem: messageOf(error) });
    }
  };
  return {
    isShown: false,
    images: [],
    starts: [],
    storage: undefined,
    isAsking: false,
    problem: undefined,
    show: (isShown) => set({ isShown }),
    refresh: () => attempt(async () => {}),
    remove: (reference, platform) => attempt((images) => images.remove(reference, { platform })),
    removeAll: () =>
      attempt(async (images) => {
        for (const { reference, platform, inUse } of get().images)
          if (!inUse) await images.remove(reference, { platform });
      }),
    removeStart: (id) => attempt((images) => images.removeStart(id)),
    persist: async () => {
      set({ isAsking: true });
      await attempt((images) => images.persist());
      set({ isAsking: false });
    },
  };
});
