/** A machine worker that records what it writes to kept disks, for tests of a loss of power. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runMachine } from '../../machine/machine-worker.ts';
import { becomePart } from '../../machine/platform/node-worker.ts';
import type { MachineStart } from '../../machine/protocol.ts';
import type { DiskFile, DiskFiles } from '../../storage/disk-files.ts';
import { FileStore } from '../../storage/file-store.ts';
import { LayerStore } from '../../storage/layer-store.ts';
import { MemoryLocks } from '../../storage/memory.ts';
import { nodeDisks } from '../../storage/node.ts';
import { encodeEntry, LOG_FILE, type LogEntry } from './write-log.ts';

class RecordedFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #log: number;

  constructor(file: DiskFile, log: number) {
    this.#file = file;
    this.#log = log;
  }

  get size(): number {
    return this.#file.size;
  }

  read(offset: number, into: Uint8Array<ArrayBuffer>): void {
    this.#file.read(offset, into);
  }

  write(offset: number, from: Uint8Array<ArrayBuffer>): void {
    this.#file.write(offset, from);
    this.#record({ kind: 'write', offset, bytes: from });
  }

  resize(size: number): void {
    this.#file.resize(size);
    this.#record({ kind: 'resize', size });
  }

  async flush(): Promise<void> {
    this.#record({ kind: 'flush' });
    await this.#file.flush();
    this.#record({ kind: 'flushed' });
  }

  close(): void {
    this.#file.close();
    closeSync(this.#log);
  }

  #record(entry: LogEntry): void {
    writeSync(this.#log, encodeEntry(entry));
  }
}

function openStore(folder: string) {
  const disks: DiskFiles = nodeDisks(folder);
  const open = async (name: string) =>
    new RecordedFile(await disks.open(name), openSync(join(folder, LOG_FILE), 'a'));
  return {
    layers: new LayerStore(new FileStore(folder), new MemoryLocks()),
    disks: Object.assign(Object.create(disks), { open }) as DiskFiles,
  };
}

becomePart((start: MachineStart) => runMachine(start, { openStore }));
