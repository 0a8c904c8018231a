/**
 * A machine worker for tests. It records what it writes to kept disks, and their files can be full: a file
 * says how large they may be.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runMachine } from '../../machine/machine-worker.ts';
import { becomePart } from '../../machine/platform/node-worker.ts';
import type { MachineStart } from '../../machine/protocol.ts';
import { CodeStore } from '../../storage/code-store.ts';
import type { DiskFile, DiskFiles } from '../../storage/disk-files.ts';
import { StorageFullError } from '../../storage/errors.ts';
import { FileStore } from '../../storage/file-store.ts';
import { LayerStore } from '../../storage/layer-store.ts';
import { MemoryLocks } from '../../storage/memory.ts';
import { nodeDisks } from '../../storage/node.ts';
import { CAPACITY_FILE, encodeEntry, LOG_FILE, type LogEntry } from './write-log.ts';

class RecordedFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #folder: string;
  readonly #log: number;

  constructor(file: DiskFile, folder: string) {
    this.#file = file;
    this.#folder = folder;
    this.#log = openSync(join(folder, LOG_FILE), 'a');
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
    if (size > this.#capacity) throw new StorageFullError('the test allows no more');
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

  get #capacity(): number {
    const file = join(this.#folder, CAPACITY_FILE);
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : Number.POSITIVE_INFINITY;
  }

  #record(entry: LogEntry): void {
    writeSync(this.#log, encodeEntry(entry));
  }
}

function openStore(folder: string) {
  const disks: DiskFiles = nodeDisks(folder);
  const open = async (name: string) => new RecordedFile(await disks.open(name), folder);
  return {
    layers: new LayerStore(new FileStore(folder), new MemoryLocks()),
    code: new CodeStore(new FileStore(folder)),
    disks: Object.assign(Object.create(disks), { open }) as DiskFiles,
  };
}

becomePart((start: MachineStart) => runMachine(start, { openStore }));
