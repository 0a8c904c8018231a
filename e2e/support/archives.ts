import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js/lib/zip-core-custom.js';
import { PUBLIC } from './places.ts';

/** Packs the demo image `busybox` as skopeo writes it. @returns the path of the archive */
export function packBusybox(folder: string, kind: 'docker-archive' | 'oci-archive' = 'oci-archive'): string {
  const file = join(folder, `${kind}.tar`);
  execFileSync('skopeo', [
    ...['copy', '--quiet', '--insecure-policy', '--override-arch', 'riscv64'],
    ...[`oci:${join(PUBLIC, 'images')}:busybox`, `${kind}:${file}:example/busybox:1`],
  ]);
  return file;
}

/** Reads the texts in a zip file, by their names. */
export async function textsOfZip(file: string | Buffer): Promise<Record<string, string>> {
  const bytes = typeof file === 'string' ? await readFile(file) : file;
  const zip = new ZipReader(new BlobReader(new Blob([new Uint8Array(bytes)])));
  const texts: Record<string, string> = {};
  for (const entry of await zip.getEntries())
    if (!entry.directory) texts[entry.filename] = await entry.getData(new TextWriter());
  return texts;
}
