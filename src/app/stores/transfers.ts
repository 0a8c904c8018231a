import { create } from 'zustand';
import { messageOf } from '../../oci/errors.ts';
import { current } from './connection.ts';

interface TransfersState {
  /** What goes on, or went on last. */
  readonly note: string;
  readonly isBusy: boolean;
  readonly hasFailed: boolean;

  /** Puts files into a folder of the container. */
  upload(files: readonly File[], folder: string): Promise<void>;
  /** Saves a file of the container. */
  download(path: string): Promise<void>;
}

export const useTransfers = create<TransfersState>((set) => {
  const attempt = async (doing: string, action: () => Promise<string>) => {
    set({ note: doing, isBusy: true, hasFailed: false });
    try {
      set({ note: await action(), isBusy: false });
    } catch (error) {
      set({ note: messageOf(error), isBusy: false, hasFailed: true });
    }
  };
  return {
    note: '',
    isBusy: false,
    hasFailed: false,
    upload: async (files, folder) => {
      for (const file of files) {
        const path = `${folder.replace(/\/+$/, '')}/${file.name}`;
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
