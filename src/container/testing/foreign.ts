/** Images of other processors, for tests of emulated programs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { busyboxFiles } from '../../../scripts/setup/images.mjs';
import { inProject } from '../../../scripts/setup/places.mjs';
import { type TarEntry, writeTar } from '../../../scripts/setup/tar.mjs';
import { layoutFiles, makeImage, makeIndex, makeLayer, type TestImage } from '../../oci/testing/image.ts';

export type Foreign = 'arm64' | 'amd64';
export const FOREIGN: readonly Foreign[] = ['arm64', 'amd64'];

/** What this computer's compiler makes programs for. */
export const OWN: Foreign = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** BusyBox, with further files. */
export function foreignBusybox(architecture: Foreign, files: readonly TarEntry[] = []): TestImage {
  const program = readFileSync(inProject(`dist/busybox-${architecture}`));
  const layer = makeLayer(new Uint8Array(writeTar([...busyboxFiles(program), ...files])));
  const platform = { os: 'linux', architecture };
  return makeImage([layer], { platform, config: { Cmd: ['sh'], Env: ['PATH=/bin'] } });
}

/** Compiles a static program for this computer's processor. */
export function compileHere(source: string, output: string): Buffer {
  execFileSync('gcc', ['-O1', '-static', '-pthread', '-Wall', '-Werror', '-o', output, source]);
  return readFileSync(output);
}

/** Writes images into a layout, each with the platform that its configuration names. */
export function writeLayout(folder: string, images: Readonly<Record<string, readonly TestImage[]>>): void {
  const described = Object.entries(images).flatMap(([tag, group]) =>
    group.map((image) => {
      const { os, architecture } = JSON.parse(new TextDecoder().decode(image.config));
      return {
        image,
        platform: { os, architecture },
        annotations: { 'org.opencontainers.image.ref.name': tag },
      };
    }),
  );
  for (const { path, contents } of layoutFiles(Object.values(images).flat(), makeIndex(described))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents ?? '');
  }
}
