import { create } from 'zustand';
import { messageOf } from '../../oci/errors.ts';
import { fileName } from '../model/names.ts';
import { current } from './connection.ts';

interface TransfersState {
  /** Whether all of this is shown. */
  readonly isShown: boolean;
  /** Where files go. */
  readonly folder: string;
  /** What goes on, or went on last. */
  readonly note: string;
  readonly isBusy: boolean;
  readonly hasFailed: boolean;

  /** Nothing goes on: what did has ended with its container. */
  reset(): void;
  show(isShown: boolean): void;
  goTo(folder: string): void;
  /** Puts files into the folder. */
  upload(files: readonly File[]): Promise<void>;
  /** Saves a file of the container. */
  download(path: string): Promise<void>;
}

const NOTHING = { isShown: false, folder: '/', note: '', isBusy: false, hasFailed: false };

export const useTransfers = create<TransfersState>((set, get) => {
  /** @returns whether it succeeded */
  const attempt = async (doing: string, action: () => Promise<string>): Promise<boolean> => {
    set({ note: doing, isBusy: true, hasFailed: false });
    try {
      set({ note: await action(), isBusy: false });
      return true;
    } catch (error) {
      set({ note: messageOf(error), isBusy: false, hasFailed: true });
      return false;
    }
  };
  return {
    ...NOTHING,
    reset: () => set(NOTHING),
    show: (isShown) => set({ isShown }),
    goTo: (folder) => set({ folder }),
    upload: async (files) => {
      for (const file of files) {
        const path = `${get().folder.replace(/\/+$/, '')}/${file.name}`;
        const isThere = await attempt(`Putting ${file.name} into the container`, async () => {
          await current.connection?.session.upload(path, file);
          return `${path} is in the container`;
        });
        if (!isThere) return;
      }
    },
    download: async (path) => {
      await attempt(`Getting ${path}`, async () => {
        const blob = await current.connection?.session.download(path);
        if (blob) save(blob, fileName(path));
        return `${path} is downloaded`;
      });
    },
  };
});

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
