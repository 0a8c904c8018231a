import { create } from 'zustand';
import { browserQuota, browserStore, requestPersistence } from '../../storage/browser.ts';
import type { LayerUsage } from '../../storage/layer-store.ts';
import type { Store } from '../../storage/store.ts';
import { messageOf } from '../../text/message.ts';
import { orphans, type StoredImage, storedImages } from '../model/stored.ts';

interface LibraryState {
  /** Whether the dialog is open. */
  readonly isShown: boolean;
  readonly images: readonly StoredImage[];
  /** The images, the least recently used first. */
  readonly layers: readonly LayerUsage[];
  /** The quota of the whole origin, in bytes. */
  readonly quota: { readonly used: number; readonly available: number } | undefined;
  /** Whether the browser keeps the store even when space gets scarce. */
  readonly isPersistent: boolean;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  show(isShown: boolean): void;
  refresh(): Promise<void>;
  /** Removes an image, and its layers if no other image needs them. */
  remove(reference: string): Promise<void>;
  removeAll(): Promise<void>;
  persist(): Promise<void>;
}

/** Opens the store at its first use, because some browsers refuse it. */
let opened: Store | undefined;
function library(): Store {
  opened ??= browserStore();
  return opened;
}

export const useLibrary = create<LibraryState>((set, get) => {
  const attempt = async (action: () => Promise<void>) => {
    try {
      await action();
      set({ problem: undefined });
    } catch (error) {
      set({ problem: messageOf(error) });
    }
  };
  const load = async () => {
    const [records, layers, quota, isPersistent] = await Promise.all([
      library().images.list(),
      library().layers.usage(),
      browserQuota(),
      navigator.storage.persisted(),
    ]);
    set({ images: storedImages(records, layers), layers, quota, isPersistent });
  };
  /** Removes all images but those with layers in use. */
  const remove = async (images: readonly StoredImage[]) => {
    for (const { reference } of images.filter(({ inUse }) => !inUse))
      await library().images.remove(reference);
    await load();
    for (const { diffId } of orphans(get().images, get().layers)) await library().layers.remove(diffId);
    await load();
  };
  return {
    isShown: false,
    images: [],
    layers: [],
    quota: undefined,
    isPersistent: false,
    problem: undefined,
    show: (isShown) => set({ isShown }),
    refresh: () => attempt(load),
    remove: (reference) =>
      attempt(() => remove(get().images.filter((image) => image.reference === reference))),
    removeAll: () => attempt(() => remove(get().images)),
    persist: () =>
      attempt(async () => {
        set({ isPersistent: await requestPersistence() });
      }),
  };
});
