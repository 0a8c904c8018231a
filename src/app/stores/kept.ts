import type { Remote } from 'comlink';
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { messageOf } from '../../text/message.ts';
import type { KeptContainers } from '../machine/kept.ts';
import type { KeptItem } from '../machine/messages.ts';
import { freeName } from '../model/container-name.ts';
import { loadMachinery } from './connection.ts';
import { save } from './save.ts';

/** What a dialog asks. */
export type KeptQuestion =
  | { readonly kind: 'rename' | 'delete' | 'go-on'; readonly item: KeptItem }
  | { readonly kind: 'import'; readonly changes: File };

interface KeptList {
  /** The containers in the store, the most recently used first, as they were when the list was read last. */
  readonly items: readonly KeptItem[];
}

interface KeptState extends KeptList {
  /** What is being done, by the names of containers. */
  readonly work: ReadonlyMap<string, string>;
  /** Why the last attempt failed. */
  readonly problem: string | undefined;

  refresh(): Promise<void>;
  /** @throws the reason to show at the name */
  rename(name: string, newName: string): Promise<void>;
  /** @returns the name of the copy */
  duplicate(name: string): Promise<string>;
  remove(name: string): Promise<void>;
  /** Keeps a new container with changes that another one has packed. @throws the reason to show */
  importChanges(name: string, image: string, changes: File): Promise<void>;
  /** Downloads a tar of the files that have changed. */
  exportChanges(name: string): Promise<void>;
  /** Downloads an image of the container. */
  exportImage(name: string): Promise<void>;
}

/** The containers that are kept in this browser: as in the last visit, until the list has been read. */
export const useKept = create<KeptState>()(
  persist<KeptState, [], [], KeptList>(
    (set, get) => {
      let reads = 0;
      let shown = 0;
      const run = async <T>(action: (containers: Remote<KeptContainers>) => Promise<T>): Promise<T> => {
        const { withContainers } = await loadMachinery();
        try {
          return await withContainers(action);
        } finally {
          await get().refresh();
        }
      };
      /** Shows what is being done with a container, and why it failed. */
      const attempt = async (name: string, title: string, action: () => Promise<unknown>) => {
        const note = (work: Map<string, string>) => set({ work });
        note(new Map(get().work).set(name, title));
        set({ problem: undefined });
        await action().catch((error: unknown) => set({ problem: `${name}: ${messageOf(error)}` }));
        const rest = new Map(get().work);
        rest.delete(name);
        note(rest);
      };
      return {
        items: [],
        work: new Map(),
        problem: undefined,
        refresh: async () => {
          const read = ++reads;
          try {
            const { listContainers } = await loadMachinery();
            const items = await listContainers();
            // Answers may come in another order.
            if (read < shown) return;
            shown = read;
            set({ items });
          } catch (error) {
            set({ problem: messageOf(error) });
          }
        },
        rename: (name, newName) => run((containers) => containers.rename(name, newName)),
        duplicate: async (name) => {
          const copy = freeName(
            name,
            get().items.map((item) => item.name),
          );
          await attempt(name, 'Copying', () => run((containers) => containers.duplicate(name, copy)));
          return copy;
        },
        remove: (name) => attempt(name, 'Deleting', () => run((containers) => containers.remove(name))),
        importChanges: (name, image, changes) =>
          run((containers) => containers.importChanges(name, image, changes)),
        exportChanges: (name) =>
          attempt(name, 'Packing its files', async () =>
            save(await run((containers) => containers.exportChanges(name)), `${name}.tar`),
          ),
        exportImage: (name) =>
          attempt(name, 'Making an image', async () =>
            save(await run((containers) => containers.exportImage(name)), `${name}-image.tar`),
          ),
      };
    },
    { name: 'linuxrun-kept', version: 1, partialize: ({ items }) => ({ items }) },
  ),
);
