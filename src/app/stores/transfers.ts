import { create } from 'zustand';
import { messageOf } from '../../oci/errors.ts';
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

  show(isShown: boolean): void;
  goTo(folder: string): void;
  /** Puts files into the folder. */
  upload(files: readonly File[]): Promise<void>;
  /** Saves a file of the container. */
  download(path: string): Promise<void>;
}

export const useTransfers = create<TransfersState>((set, get) => {
  const attempt = async (doing: string, action: () => Promise<string>) => {
    set({ note: doing, isBusy: true, hasFailed: false });
    try {
      set({ note: await action(), isBusy: false });
    } catch (error) {
      set({ note: messageOf(error), isBusy: false, hasFailed: true });
    }
  };
  return {
    isShown: false,
    folder: '/',
    note: '',
    isBusy: false,
    hasFailed: false,
    show: (isShown) => set({ isShown }),
    goTo: (folder) => set({ folder }),
    upload: async (files) => {
      for (const file of files) {
        const path = `${get().folder.replace(/\/+$/, '')}/${file.name}`;
        await attempt(`Putting ${file.name} into the container`, async () => {
          await current.connection?.session.upload(path, file);
          return `${path} is in the container`;
        });
      }
    },
    download: (path) =>
      attempt(`Getting ${path}`, async () => {
        const blob = await current.connection?.session.download(path);
        if (blob) save(blob, path.slice(path.lastIndexOf('/') + 1));
        return `${path} is downloaded`;
      }),
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
