import { CodeStore } from './code-store.ts';
import { ContainerStore } from './container-store.ts';
import type { DiskFiles } from './disk-files.ts';
import { ImageStore } from './image-store.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { LayerStore } from './layer-store.ts';
import { StartStore } from './start-store.ts';

/** Images, their shared layers, and containers with their disks, kept across runs. */
export class Store {
  readonly layers: LayerStore;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly starts: StartStore;
  /** What was hot in containers of images. */
  readonly code: CodeStore;
  readonly values: KeyValueStore;
  /** The disks of containers, by their ids. */
  readonly disks: DiskFiles;
  /** The memory of suspended containers. */
  readonly sessions: DiskFiles;

  /**
   * @param locks shared by all users of `values` and of the files
   * @param askPersistence called when the first container is kept, to ask that nothing is taken away
   */
  constructor(
    values: KeyValueStore,
    locks: Locks,
    files: { disks: DiskFiles; sessions: DiskFiles },
    askPersistence: () => void = () => {},
  ) {
    const { disks, sessions } = files;
    this.layers = new LayerStore(values, locks);
    this.images = new ImageStore(values);
    this.containers = new ContainerStore(values, locks, files, askPersistence);
    this.starts = new StartStore(values, locks, sessions);
    this.code = new CodeStore(values);
    this.values = values;
    this.disks = disks;
    this.sessions = sessions;
  }

  /** Removes the remains of interrupted pulls and removals, and images whose layers were evicted. */
  async sweep(): Promise<void> {
    await this.layers.sweep();
    await this.containers.sweep();
    await this.starts.sweep();
    for (const image of await this.images.list()) {
      const stored = await Promise.all(image.layers.map((diffId) => this.layers.has(diffId)));
      if (stored.includes(false)) await this.images.remove(image);
    }
  }
}
