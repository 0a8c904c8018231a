/** Makes the images that the tests put into registries. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import {
  LAYER_TYPE,
  makeImage,
  makeLayer,
  makeTar,
  type TestImage,
  type TestLayer,
} from '../../src/oci/testing/image.ts';
import { PUBLIC } from './places.ts';

const DEMO = join(PUBLIC, 'images');
const SHELL = { Cmd: ['sh'], Env: ['PATH=/bin'] };

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Record<string, string>;
}

const readBlob = ({ digest }: Descriptor) => readFileSync(join(DEMO, 'blobs', digest.replace(':', '/')));

function readJson<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T;
}

/** Returns the layer with Debian's BusyBox from our demo image. */
function busyboxLayer(): TestLayer {
  const { manifests } = readJson<{ manifests: Descriptor[] }>(readFileSync(join(DEMO, 'index.json')));
  const descriptor = manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === 'busybox',
  );
  if (!descriptor) throw new Error('there is no busybox among the demo images');
  const { layers } = readJson<{ layers: [Descriptor] }>(readBlob(descriptor));
  const blob = new Uint8Array(readBlob(layers[0]));
  return { blob, tar: new Uint8Array(gunzipSync(blob)), mediaType: LAYER_TYPE };
}

/**
 * Returns BusyBox with a further layer that holds a file /weight, so that a pull takes long enough to watch.
 * @param weight the size of the file, in bytes
 */
export function heavyBusybox(weight: number): TestImage {
  const file = { path: 'weight', contents: new Uint8Array(randomBytes(weight)) };
  return makeImage([busyboxLayer(), makeLayer(makeTar([file]))], { config: SHELL });
}

/** Returns an image for a processor whose programs do not run. */
export function unusableBusybox(): TestImage {
  return makeImage([busyboxLayer()], { config: SHELL, platform: { os: 'linux', architecture: 's390x' } });
}

/** An image layout with larger images, which some machines lack. */
const SHARED = join(import.meta.dirname, '../../../shared/images');
export const hasSharedImages = existsSync(join(SHARED, 'index.json'));

/** @param tag the tag of an image that exists only where `hasSharedImages` is true */
export const sharedImage = (tag: string) => `oci://${SHARED}:${tag}`;

/** Returns BusyBox with /web, a program that serves one connection (web-server.c). */
export async function webImage(): Promise<TestImage> {
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-web-'));
  const program = join(folder, 'web');
  const source = join(import.meta.dirname, 'web-server.c');
  try {
    await promisify(execFile)('riscv64-linux-gnu-gcc', ['-O2', '-static', '-Wall', '-o', program, source]);
    const file = { path: 'web', contents: new Uint8Array(await readFile(program)) };
    return makeImage([busyboxLayer(), makeLayer(makeTar([file]))], { config: SHELL });
  } finally {
    await rm(folder, { recursive: true });
  }
}
