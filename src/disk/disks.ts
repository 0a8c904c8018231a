import type { Store } from '../storage/store.ts';
import { type BlockBackend, MemoryBlockBackend } from './block-backend.ts';
import { EmulatorDisk } from './emulator-disk.ts';
import { formatExt4 } from './ext4.ts';
import { ImageBackend } from './image-backend.ts';
import { KeptBackend, type KeptDiskDescription } from './kept-backend.ts';
import { LateDisk } from './late-disk.ts';

/** A disk in memory. */
export interface MemoryDisk {
  readonly kind?: 'memory';
  /** Its initial content, whole sectors of 512 bytes. */
  readonly data: Uint8Array;
  readonly readOnly: boolean;
}

/** The read-only root of a container image, which is empty until `Machine.openImage`. */
export interface ImageDisk {
  readonly kind: 'image';
  /** The place of the stored layers: a folder in Node. Browsers have one store for each origin. */
  readonly store: string;
}

/** An empty ext4 file system in memory, which takes room only for written chunks. */
export interface ScratchDisk {
  readonly kind: 'scratch';
  readonly sizeBytes: number;
}

/** A writable disk that `Machine.openDisk` chooses, of this size. */
export interface LateDiskDescription {
  readonly kind: 'late';
  readonly sizeBytes: number;
}

/** The read-only disk with the emulator of another processor, which is empty until `Machine.openEmulator`. */
export interface EmulatorDiskDescription {
  readonly kind: 'emulator';
  /** Its content, if a saved session has read it already. */
  readonly content?: Uint8Array | undefined;
}

/** A writable disk of a container. */
export type WritableDisk = ScratchDisk | KeptDiskDescription;

/** A disk, as the machine's owner describes it. Structured-cloneable. */
export type DiskOptions =
  | MemoryDisk
  | ImageDisk
  | WritableDisk
  | LateDiskDescription
  | EmulatorDiskDescription;

/** Opens the store that a disk names. */
export type OpenStore = (store: string) => Pick<Store, 'layers' | 'disks' | 'code'>;

export interface DiskEvents {
  /** An error that ends the machine: stored layers or a kept disk cannot be read. */
  failed(error: unknown): void;
  /** A kept disk cannot be written, such as when the store is full; undefined when it can be again. */
  problem(text: string | undefined): void;
}

export function openDisk(
  disk: DiskOptions,
  openStore: OpenStore,
  { failed, problem }: DiskEvents,
): BlockBackend {
  switch (disk.kind) {
    case 'image':
      return new ImageBackend(openStore(disk.store).layers, failed);
    case 'kept':
      return new KeptBackend(openStore(disk.store).disks, disk, problem, failed);
    case 'emulator':
      return new EmulatorDisk(disk.content);
    case 'late':
      return new LateDisk(disk.sizeBytes);
    case 'scratch':
      return scratchDisk(disk.sizeBytes);
    default:
      return memoryDisk(disk);
  }
}

function scratchDisk(sizeBytes: number): BlockBackend {
  const disk = new MemoryBlockBackend(sizeBytes);
  formatExt4(disk);
  return disk;
}

function memoryDisk({ data, readOnly }: MemoryDisk): BlockBackend {
  const disk = new MemoryBlockBackend(data.length);
  disk.write(0, [data]);
  if (!readOnly) return disk;
  return {
    sizeBytes: disk.sizeBytes,
    readOnly,
    read: (offset, into) => disk.read(offset, into),
    write: () => Promise.reject(new Error('the disk is read-only')),
    flush: () => {},
  };
}
