import { proxy } from 'comlink';
import { create } from 'zustand';
import { printable } from '../../text/byte-text.ts';
import { messageOf } from '../../text/message.ts';
import type { OnBytes } from '../machine/container-files.ts';
import type { Picked } from '../model/dropped.ts';
import { count } from '../model/format.ts';
import { fileName } from '../model/names.ts';
import { join, parentOf, savedName } from '../model/tree.ts';
import { current } from './connection.ts';
import { save } from './save.ts';

/** A transfer, or a removal that may take long. */
export interface Job {
  readonly id: number;
  readonly title: string;
  /** Undefined if it does not transfer anything. */
  readonly bytes: number | undefined;
  /** Undefined if it is not known. */
  readonly total: number | undefined;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** Why it failed, or what it left out. */
  readonly note: string;
}

interface JobsState {
  /** The running and the last ones. */
  readonly jobs: readonly Job[];

  /** Forgets all jobs, which have ended with their container. */
  reset(): void;
  cancel(id: number): void;
  /** Forgets a job that has ended. */
  dismiss(id: number): void;
  /** These resolve when the job has ended, however it did. */
  upload(picked: readonly Picked[], folder: string): Promise<void>;
  download(path: string, size: number | undefined): Promise<void>;
  /** Downloads a folder with all that is in it. */
  downloadFolder(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

type Session = NonNullable<typeof current.connection>['session'];

interface Work {
  readonly title: string;
  readonly doneTitle: string;
  /** Undefined for a job that transfers nothing. */
  readonly bytes?: number;
  readonly total?: number | undefined;
  /** @returns a note about the result */
  run(session: Session, id: number, onBytes: OnBytes): Promise<string>;
}

let next = 1;

/** Returns the number of something in the worker that can be cancelled. */
export function newJob(): number {
  return next++;
}

export const useJobs = create<JobsState>((set, get) => {
  const change = (id: number, changes: Partial<Job>) =>
    set(({ jobs }) => ({ jobs: jobs.map((job) => (job.id === id ? { ...job, ...changes } : job)) }));
  const isRunning = (id: number) => get().jobs.some((job) => job.id === id && job.state === 'running');

  const start = async ({ title, doneTitle, bytes, total, run }: Work) => {
    const { connection } = current;
    if (!connection) return;
    const id = newJob();
    const job: Job = { id, title, bytes, total, state: 'running', note: '' };
    // The results of earlier jobs make room, but not the reasons of failures.
    set(({ jobs }) => ({
      jobs: [...jobs.filter(({ state }) => state === 'running' || state === 'failed'), job],
    }));
    try {
      const note = await run(connection.session, id, (now) => change(id, { bytes: now }));
      if (isRunning(id)) change(id, { title: doneTitle, state: 'done', note });
    } catch (error) {
      if (isRunning(id)) change(id, { state: 'failed', note: messageOf(error) });
    }
  };

  return {
    jobs: [],
    reset: () => set({ jobs: [] }),
    cancel: (id) => {
      change(id, { state: 'cancelled' });
      void current.connection?.session.files.cancel(id);
    },
    dismiss: (id) => set(({ jobs }) => ({ jobs: jobs.filter((job) => job.id !== id) })),

    upload: (picked, folder) => {
      const files = picked.filter(({ file }) => file);
      const what = files.length === 1 ? fileName(files[0]?.path ?? '') : count(files.length, 'file');
      return start({
        title: `Uploading ${what} to ${printable(folder)}`,
        doneTitle: `Uploaded ${what} to ${printable(folder)}`,
        bytes: 0,
        total: files.reduce((sum, { file }) => sum + (file?.size ?? 0), 0),
        run: async (session, id, onBytes) => {
          for (const path of foldersOf(picked)) {
            if (isRunning(id)) await session.files.makeFolder(join(folder, path), true);
          }
          let before = 0;
          for (const { path, file } of picked) {
            if (!file || !isRunning(id)) continue;
            const report = proxy((bytes: number) => onBytes(before + bytes));
            await session.files.upload(id, join(folder, path), file, report);
            before += file.size;
          }
          return '';
        },
      });
    },

    download: (path, size) => {
      const shown = printable(fileName(path));
      return start({
        title: `Downloading ${shown}`,
        doneTitle: `Downloaded ${shown}`,
        bytes: 0,
        total: size,
        run: async (session, id, onBytes) => {
          const blob = await session.files.download(id, path, proxy(onBytes));
          if (isRunning(id)) save(blob, savedName(shown));
          return '';
        },
      });
    },

    downloadFolder: (path) => {
      const name = fileName(path) || 'container';
      const file = `${savedName(printable(name))}.zip`;
      return start({
        title: `Downloading ${file}`,
        doneTitle: `Downloaded ${file}`,
        bytes: 0,
        run: async (session, id, onBytes) => {
          const { blob, files, skipped } = await session.files.downloadFolder(id, path, name, proxy(onBytes));
          if (isRunning(id)) save(blob, file);
          const left = skipped === 0 ? '' : `; left out ${skipped} that cannot be packed or read`;
          return `${count(files, 'file')}${left}`;
        },
      });
    },

    remove: (path) => {
      const shown = printable(fileName(path));
      return start({
        title: `Deleting ${shown}`,
        doneTitle: `Deleted ${shown} from ${printable(parentOf(path))}`,
        run: async (session, id) => {
          await session.files.remove(id, path);
          return '';
        },
      });
    },
  };
});

/** Returns the folders to make for some files, the outer ones first. */
function foldersOf(picked: readonly Picked[]): string[] {
  const folders = new Set<string>();
  for (const { path, file } of picked) {
    const names = path.split('/');
    if (file) names.pop();
    names.forEach((_, index) => {
      folders.add(names.slice(0, index + 1).join('/'));
    });
  }
  return [...folders];
}
