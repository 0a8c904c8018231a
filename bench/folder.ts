import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Passes a new folder to a function, and removes it afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-bench-'));
  try {
    return await use(folder);
  } finally {
    // Processes of a browser that was killed may still write.
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}
