/** Makes images for tests. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Digest } from '../digest.ts';

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';

export const sha256 = (bytes: Uint8Array): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export interface TestFile {
  readonly path: string;
  readonly contents?: Uint8Array;
  /** Makes a symbolic link. */
  readonly target?: string;
}

/** A plain ustar tar. */
export function makeTar(files: readonly TestFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { path, contents = new Uint8Array(0), target } of files) {
    const header = Buffer.alloc(512);
    const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
    header.write(path, 0);
    header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8), 100);
    header.write(octal(contents.length, 12) + octal(0, 12), 124);
    header.write(`        ${target === undefined ? '0' : '2'}${target ?? ''}`, 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    parts.push(header, contents, new Uint8Array(-contents.length & 511));
  }
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(1024)]));
}

export interface TestLayer {
  readonly tar: Uint8Array;
  /** The layer as it is published. */
  readonly blob: Uint8Array;
  readonly mediaType: string;
}

export function makeLayer(tar: Uint8Array): TestLayer {
  return { tar, blob: new Uint8Array(gzipSync(tar)), mediaType: LAYER_TYPE };
}

export interface TestImage {
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly config: Uint8Array;
  readonly layers: readonly TestLayer[];
  readonly diffIds: readonly Digest[];
}

export const CONFIG = {
  Entrypoint: ['/bin/program'],
  Cmd: ['argument'],
  Env: ['A=1', 'B=two words'],
  WorkingDir: '/srv',
  User: 'nobody:users',
  StopSignal: 'SIGINT',
  Volumes: { '/data': {} },
  ExposedPorts: { '80/tcp': {} },
  Labels: { a: 'b' },
};

/** @param changes replace fields of the manifest */
export function makeImage(
  layers: readonly TestLayer[],
  {
    platform = { os: 'linux', architecture: 'riscv64' },
    diffIds = layers.map(({ tar }) => sha256(tar)),
    config: runConfig = CONFIG as object,
  } = {},
  changes: Record<string, unknown> = {},
): TestImage {
  const config = jsonBytes({
    ...platform,
    config: runConfig,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [],
  });
  const manifest = jsonBytes({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: sha256(config), size: config.length },
    layers: layers.map(({ blob, mediaType }) => ({ mediaType, digest: sha256(blob), size: blob.length })),
    ...changes,
  });
  return { manifest, digest: sha256(manifest), config, layers, diffIds };
}

export function makeIndex(
  images: readonly { image: TestImage; platform?: object | undefined; annotations?: object }[],
): Uint8Array {
  return jsonBytes({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: images.map(({ image, platform, annotations }) => ({
      mediaType: MANIFEST_TYPE,
      digest: image.digest,
      size: image.manifest.length,
      ...(platform && { platform }),
      ...(annotations && { annotations }),
    })),
  });
}

/** The files of an OCI image layout, by path. */
export function layoutFiles(images: readonly TestImage[], index: Uint8Array): TestFile[] {
  const blobs = new Map<string, Uint8Array>();
  for (const { manifest, config, layers } of images) {
    for (const blob of [manifest, config, ...layers.map(({ blob }) => blob)]) blobs.set(sha256(blob), blob);
  }
  return [
    { path: 'oci-layout', contents: jsonBytes({ imageLayoutVersion: '1.0.0' }) },
    ...[...blobs].map(([digest, contents]) => ({ path: `blobs/${digest.replace(':', '/')}`, contents })),
    { path: 'index.json', contents: index },
  ];
}
