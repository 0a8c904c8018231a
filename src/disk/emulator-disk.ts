import type { BlockBackend, DiskState } from './block-backend.ts';

/** Where the UUID is on a disk with EROFS: in the super block, at byte 1024. */
const UUID_AT = 1024 + 48;
const UUID_SIZE = 16;

/**
 * The read-only disk with the emulator of another processor, which most machines never need. Until it has its
 * content, the disk has size 0.
 */
export class EmulatorDisk implements BlockBackend {
  readonly readOnly = true;
  onResize = () => {};
  #content: Uint8Array;

  /** @param content a file system of whole sectors, or nothing yet */
  constructor(content: Uint8Array = new Uint8Array()) {
    this.#content = content;
  }

  get sizeBytes(): number {
    return this.#content.length;
  }

  /** Gives it its content, also in place of one that the guest has not read. */
  open(content: Uint8Array): void {
    this.#content = content;
    this.onResize();
  }

  read(offset: number, into: Uint8Array[]): void {
    let position = offset;
    for (const buffer of into) {
      buffer.set(this.#content.subarray(position, position + buffer.length));
      position += buffer.length;
    }
  }

  write(): never {
    throw new Error('the disk is read-only');
  }

  flush(): void {}

  suspend(): DiskState | undefined {
    return this.sizeBytes === 0 ? undefined : { fileSystem: this.#uuid };
  }

  /** The guest has the file system mounted, and reads more of it. */
  resume(state: DiskState): void {
    if (!('fileSystem' in state)) throw new RangeError('is of another kind');
    if (state.fileSystem.join() !== this.#uuid.join())
      throw new RangeError('is of another version of the emulator');
  }

  /** Follows from the content. */
  get #uuid(): Uint8Array {
    return this.#content.slice(UUID_AT, UUID_AT + UUID_SIZE);
  }
}
