import { expect, it, vi } from 'vitest';
import { FileError } from '../../api/errors.ts';
import type { RunningContainer } from '../../api/public.ts';
import { ContainerProcesses } from './container-processes.ts';

/** @param ticks of user and system time */
const stat = (pid: number, name: string, ticks: number, start = 5) =>
  `${pid} (${name}) S 1 1 1 0 -1 0 0 0 0 0 ${ticks} 3 0 0 20 0 1 0 ${start} 4096 10 0\n`;

function processesOf(files: Record<string, string>, status = 0) {
  const exec = vi.fn((_args: readonly string[]) => ({
    waitWithOutput: async () => ({ status, stderr: new TextEncoder().encode('no such process\n') }),
  }));
  const fs = {
    async *opendir() {
      for (const name of ['self', ...new Set(Object.keys(files).map((path) => path.split('/')[2]))])
        yield { name };
    },
    createReadStream: (path: string) => {
      if (!(path in files)) throw new FileError('gone', 'ENOENT');
      return new Blob([files[path] ?? '']).stream();
    },
  };
  return { exec, processes: new ContainerProcesses(() => ({ fs, exec }) as unknown as RunningContainer) };
}

it('lists processes with their commands, memory and use of CPUs', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const files: Record<string, string> = {
    '/proc/1/stat': stat(1, 'sh', 100),
    '/proc/1/cmdline': 'sh\0-c\0a b\0',
    '/proc/12/stat': stat(12, 'odd) name (', 0),
    '/proc/12/cmdline': '',
    '/proc/13/stat': '',
    '/proc/14/stat': stat(14, 'ended', 1).replace(' S ', ' Z '),
  };
  const { processes } = processesOf(files);
  vi.advanceTimersByTime(1000);
  expect(await processes.list()).toEqual([
    { pid: 1, command: 'sh -c a b', cpu: 0, memoryBytes: 40_960 },
    { pid: 12, command: '[odd) name (]', cpu: 0, memoryBytes: 40_960 },
  ]);
  files['/proc/1/stat'] = stat(1, 'sh', 200);
  // The number is that of another process now.
  files['/proc/12/stat'] = stat(12, 'other', 500, 9);
  vi.advanceTimersByTime(2000);
  expect(await processes.list()).toMatchObject([
    { pid: 1, cpu: 0.5 },
    { pid: 12, command: '[other]', cpu: 0 },
  ]);
  vi.useRealTimers();
});

it('ends a process by the shell of the image, or says why not', async () => {
  const { processes, exec } = processesOf({});
  await processes.end(7, 'TERM');
  expect(exec.mock.calls[0]?.[0].slice(-2)).toEqual(['TERM', '7']);
  await expect(processesOf({}, 1).processes.end(7, 'KILL')).rejects.toThrow('no such process');
  await expect(processesOf({}, 127).processes.end(7, 'KILL')).rejects.toThrow('no shell');
});
