/** Runs containers in tests, from the sources. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { TarIndexer } from '../../disk/tar.ts';
import { type DiskOptions, type LinuxOptions, Machine } from '../../machine/machine.ts';
import { nodePlatform } from '../../machine/platform/node.ts';
import type { Platform } from '../../machine/platform/platform.ts';
import { nodeCodec } from '../../oci/node-codec.ts';
import { nodeSource } from '../../oci/node-source.ts';
import type { HeldImage } from '../../oci/pull.ts';
import { parseReference } from '../../oci/reference.ts';
import { nodeStore } from '../../storage/node.ts';
import {
  type ContainerMachine,
  type ContainerOptions,
  type ProgramOptions,
  runContainer,
  startContainer,
} from '../container.ts';
import { loadImage } from '../image.ts';
import { bootImage, type ImageMachine } from '../image-machine.ts';
import { PUBLIC } from './places.ts';

export { PUBLIC } from './places.ts';

export const DEMO_IMAGES = `oci://${PUBLIC}/images`;

export const store = mkdtempSync(join(tmpdir(), 'linuxrun-container-'));
afterAll(() => rmSync(store, { recursive: true, force: true }));

/** Pulls an image into a store; by default that of this test file. */
export function pull(reference: string, folder = store): Promise<HeldImage> {
  const source = nodeSource(parseReference(reference), { createTarReader: () => new TarIndexer() });
  const { signal } = new AbortController();
  return loadImage(source, nodeStore(folder), { codec: nodeCodec, preferStored: false, signal });
}

/** Boots a machine of one CPU with these disks after the image's. */
export async function boot(
  disks: readonly DiskOptions[],
  options: Partial<LinuxOptions> = {},
  platform: Platform = nodePlatform(PUBLIC),
): Promise<Machine> {
  return Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile('kernel/Image'),
    initrd: await platform.loadFile('kernel/initramfs.cpio'),
    cpus: 1,
    memoryBytes: 128 << 20,
    commandLine: 'quiet',
    disks: [{ kind: 'image', store }, ...disks],
    ...options,
  });
}

export type TestOptions = Partial<ContainerOptions> & { readonly image: HeldImage | Promise<HeldImage> };

/** Goes on from its saved state, which takes less than a boot. */
const USUAL_MACHINE = { cpus: 1, memoryBytes: 512 << 20, diskBytes: 256 << 20, network: {} };

export function start(options: TestOptions): Promise<ContainerMachine> {
  const platform = nodePlatform(PUBLIC);
  return startContainer({ platform, store, ...USUAL_MACHINE, ...options });
}

export async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); next.value; next = await reader.read()) parts.push(next.value);
  return Buffer.concat(parts).toString();
}

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly messages: string;
}

/** Runs a container to its end, in a machine of its own. */
export async function run(options: TestOptions, input = ''): Promise<Result> {
  const container = await start(options);
  try {
    return await resultOf(container, input);
  } finally {
    await container.destroy();
  }
}

async function resultOf(container: ContainerMachine, input: string): Promise<Result> {
  const stdin = container.stdin.getWriter();
  // A program that does not read all of its input closes the stream.
  stdin.write(Buffer.from(input)).catch(() => {});
  stdin.close().catch(() => {});
  const [stdout, stderr, messages, status] = await Promise.all([
    text(container.stdout),
    text(container.stderr),
    text(container.messages),
    container.exit,
  ]);
  return { status, stdout, stderr, messages };
}

let shared: { readonly layers: string; readonly machine: ImageMachine } | undefined;

async function stopShared(): Promise<void> {
  const { machine } = shared ?? {};
  shared = undefined;
  await machine?.stop();
}
afterAll(stopShared);

async function machineOf(image: HeldImage): Promise<ImageMachine> {
  const layers = image.layers.join();
  if (shared?.layers !== layers) {
    await stopShared();
    const machine = await bootImage({ platform: nodePlatform(PUBLIC), store, ...USUAL_MACHINE, image });
    shared = { layers, machine };
  }
  return shared.machine;
}

/**
 * Runs a container to its end, in the machine of the one before if that had the same files. It takes a tenth
 * of the processor time of one with a machine of its own.
 */
export async function runNext(
  { image, ...program }: ProgramOptions & { readonly image: HeldImage },
  input = '',
): Promise<Result> {
  const machine = await machineOf(image);
  try {
    return await resultOf(runContainer({ ...machine, config: image.config }, program), input);
  } catch (error) {
    await stopShared();
    throw error;
  }
}
