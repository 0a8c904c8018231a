import { create } from 'zustand';
import { messageOf } from '../../oci/errors.ts';
import { fileName } from '../model/names.ts';
import { current } from './connection.ts';

interface TransfersState {
  /** Whether the dialog is open. */
  readonly isShown: boolean;
  /** The folder for uploads. */
  readonly folder: string;
  /** The current or last transfer. */
  readonly note: string;
  readonly isBusy: boolean;
  readonly hasFailed: boolean;

  /** Forgets transfers, which have ended with their container. */
  reset(): void;
  show(isShown: boolean): void;
  goTo(folder: string): void;
  /** Copies files into the folder. */
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
  // By then the browser has started to read it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
