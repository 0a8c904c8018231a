import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** A store of images for one file of tests. */
export function temporaryStore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'linuxrun-api-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
