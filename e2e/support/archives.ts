import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
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
