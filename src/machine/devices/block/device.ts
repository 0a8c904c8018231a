import { type BlockBackend, CHUNK, type DiskState } from '../../../disk/block-backend.ts';
import type { Plain, StateReader } from '../../state.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';

const F_SIZE_MAX = 1;
const F_SEG_MAX = 2;
const F_RO = 5;
const F_BLK_SIZE = 6;
const F_FLUSH = 9;
const F_DISCARD = 13;
const F_WRITE_ZEROES = 14;

const T_IN = 0;
const T_OUT = 1;
const T_FLUSH = 4;
const T_GET_ID = 8;
const T_DISCARD = 11;
const T_WRITE_ZEROES = 13;

const S_OK = 0;
const S_IOERR = 1;
const S_UNSUPP = 2;

const SECTOR = 512;
const QUEUE_SIZE = 128;
/** A request is a header, its data segments and a status byte. */
const SEG_MAX = QUEUE_SIZE - 2;
const SIZE_MAX = 64 << 10;
const HEADER_SIZE = 16;
const ID_SIZE = 20;
const RANGE_SIZE = 16;
const MAX_RANGES = 16;
const MAX_RANGE_SECTORS = (1 << 30) / SECTOR;
const RANGE_F_UNMAP = 1;
/** Bytes that a disk discards in the time in which it copies one, at least. */
const DISCARD_SPEED = 128;

/** Limits of a saved state. */
const MAX_LAYERS = 1000;
const MAX_DIFF_ID = 200;

/** Thrown for a request that gets a status other than OK. */
class RequestError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`virtio-blk status ${status}`);
    this.status = status;
  }
}

/** Block device (virtio 1.2, section 5.2) over an asynchronous back end. */
export class BlockDevice extends VirtioDevice {
  readonly #backend: BlockBackend;
  readonly #serial: Uint8Array;
  readonly #header = new Uint8Array(HEADER_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #inFlight = new Set<Promise<void>>();
  /** Changes when the driver's requests become void. */
  #run = 0;

  /** @param serial the answer to GET_ID, of which the first 20 bytes in UTF-8 count */
  constructor(memory: GuestMemory, slot: number, backend: BlockBackend, serial: string) {
    if (!Number.isSafeInteger(backend.sizeBytes) || backend.sizeBytes < 0 || backend.sizeBytes % SECTOR !== 0)
      throw new RangeError('a disk is a whole number of 512-byte sectors');
    super(memory, slot, {
      id: 2,
      features: offeredFeatures(backend),
      queueSizes: [QUEUE_SIZE],
      config: configuration(backend),
    });
    this.#backend = backend;
    backend.onResize = () => this.setConfig(0, capacity(backend));
    this.#serial = new TextEncoder().encode(serial).subarray(0, ID_SIZE);
  }

  protected override service(): void {
    for (let chain = this.take(0); chain !== undefined; chain = this.take(0)) {
      this.charge(0, chain.readable.remaining + chain.writable.remaining);
      this.#start(chain);
    }
  }

  protected override stop(): void | Promise<void> {
    this.#run++;
    if (this.#inFlight.size > 0) return Promise.all(this.#inFlight).then(() => {});
  }

  protected override async settle(): Promise<Plain> {
    await Promise.all(this.#inFlight);
    // The suspension may have been given up meanwhile.
    const disk = this.suspended ? await this.#backend.suspend?.() : undefined;
    return { disk: (disk as Plain | undefined) ?? null };
  }

  protected override async restore(state: StateReader): Promise<void> {
    const disk = state.field('disk').optional();
    if (!disk) return;
    try {
      await this.#backend.resume?.(readDiskState(disk, this.#backend.sizeBytes));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      disk.fail(error.message);
    }
  }

  #start(chain: Chain): void {
    if (chain.writable.remaining === 0) throw new DriverError('request without room for its status');
    let pending: void | Promise<void>;
    try {
      pending = this.#perform(chain);
    } catch (error) {
      if (error instanceof DriverError) throw error;
      this.#finish(chain, statusOf(error));
      return;
    }
    if (pending === undefined) this.#finish(chain, S_OK);
    else this.#await(chain, pending);
  }

  #await(chain: Chain, pending: Promise<void>): void {
    const run = this.#run;
    const settle = (status: number) => {
      this.#inFlight.delete(settled);
      if (run !== this.#run) {
        chain.writable.markWritten();
        return;
      }
      this.#finish(chain, status);
      this.wake();
    };
    const settled: Promise<void> = pending.then(
      () => settle(S_OK),
      (error) => settle(statusOf(error)),
    );
    this.#inFlight.add(settled);
  }

  #finish(chain: Chain, status: number): void {
    chain.writable.skip(chain.writable.remaining - 1);
    chain.writable.writeByte(status);
    this.queue(0).complete(chain);
  }

  #perform(chain: Chain): void | Promise<void> {
    chain.readable.read(this.#header);
    const type = this.#headerView.getUint32(0, true);
    switch (type) {
      case T_IN: {
        const length = chain.writable.remaining - 1;
        return this.#backend.read(this.#offset(length), chain.writable.views(length));
      }
      case T_OUT: {
        this.#requireWritable();
        const length = chain.readable.remaining;
        return this.#backend.write(this.#offset(length), chain.readable.views(length));
      }
      case T_FLUSH:
        return this.#backend.flush();
      case T_GET_ID:
        return this.#identify(chain);
      case T_DISCARD:
      case T_WRITE_ZEROES:
        return this.#discard(chain, type);
      default:
        throw new RequestError(S_UNSUPP);
    }
  }

  /** Byte offset of the request's sector, if the disk has `length` bytes from there on. */
  #offset(length: number): number {
    if (length > SEG_MAX * SIZE_MAX) throw new RequestError(S_IOERR);
    return this.#range(this.#headerView.getUint32(8, true), this.#headerView.getUint32(12, true), length);
  }

  #range(sectorLow: number, sectorHigh: number, length: number): number {
    // Exact for all disks: only sectors far beyond the end are rounded.
    const offset = (sectorHigh * 2 ** 32 + sectorLow) * SECTOR;
    if (length % SECTOR !== 0 || offset > this.#backend.sizeBytes - length) throw new RequestError(S_IOERR);
    return offset;
  }

  #requireWritable(): void {
    if (this.#backend.readOnly) throw new RequestError(S_IOERR);
  }

  #identify({ writable }: Chain): undefined {
    const id = new Uint8Array(ID_SIZE);
    id.set(this.#serial);
    writable.write(id, 0, Math.min(ID_SIZE, writable.remaining - 1));
  }

  /** DISCARD and WRITE_ZEROES: up to MAX_RANGES ranges, zeroed one after the other. */
  async #discard({ readable }: Chain, type: number): Promise<void> {
    const { discard } = this.#backend;
    if (discard === undefined) throw new RequestError(S_UNSUPP);
    this.#requireWritable();
    const size = readable.remaining;
    if (size === 0 || size % RANGE_SIZE !== 0 || size > MAX_RANGES * RANGE_SIZE)
      throw new RequestError(S_IOERR);
    const table = new DataView(new ArrayBuffer(size));
    readable.read(new Uint8Array(table.buffer));
    const ranges: [offset: number, length: number][] = [];
    let total = 0;
    for (let at = 0; at < size; at += RANGE_SIZE) {
      const sectors = table.getUint32(at + 8, true);
      const flags = table.getUint32(at + 12, true);
      if ((flags & ~RANGE_F_UNMAP) !== 0 || (type === T_DISCARD && flags !== 0))
        throw new RequestError(S_UNSUPP);
      if (sectors > MAX_RANGE_SECTORS) throw new RequestError(S_IOERR);
      const length = sectors * SECTOR;
      total += length;
      ranges.push([this.#range(table.getUint32(at, true), table.getUint32(at + 4, true), length), length]);
    }
    this.charge(0, total / DISCARD_SPEED);
    for (const [offset, length] of ranges) await discard.call(this.#backend, offset, length);
  }
}

/** @throws StateError unless it may be one of a disk of this size */
function readDiskState(state: StateReader, sizeBytes: number): DiskState {
  if (state.has('chunks')) {
    const count = Math.ceil(sizeBytes / CHUNK);
    return {
      chunks: state
        .field('chunks')
        .list(count)
        .map((chunk) => readChunk(chunk, count)),
    };
  }
  if (state.has('checkpoint'))
    return { checkpoint: state.field('checkpoint').integer(0, Number.MAX_SAFE_INTEGER) };
  if (state.has('fileSystem')) return { fileSystem: state.field('fileSystem').bytes(0, MAX_DIFF_ID) };
  return {
    layers: state
      .field('layers')
      .list(MAX_LAYERS)
      .map((layer) => layer.text(MAX_DIFF_ID)),
    uuid: state.field('uuid').bytes(0, MAX_DIFF_ID),
  };
}

function readChunk(state: StateReader, count: number): readonly [number, Uint8Array] {
  const [number, bytes] = state.list(2);
  if (!number || !bytes) return state.fail('is no chunk');
  return [number.integer(0, count - 1), bytes.bytes(CHUNK, CHUNK)];
}

function statusOf(error: unknown): number {
  return error instanceof RequestError ? error.status : S_IOERR;
}

function offeredFeatures({ readOnly, discard }: BlockBackend): number {
  let features = (1 << F_SIZE_MAX) | (1 << F_SEG_MAX) | (1 << F_BLK_SIZE) | (1 << F_FLUSH);
  if (readOnly) features |= 1 << F_RO;
  else if (discard !== undefined) features |= (1 << F_DISCARD) | (1 << F_WRITE_ZEROES);
  return features;
}

/** The field of that name, in sectors. */
function capacity({ sizeBytes }: BlockBackend): Uint8Array {
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, BigInt(sizeBytes / SECTOR), true);
  return new Uint8Array(field.buffer);
}

/** struct virtio_blk_config (5.2.4). */
function configuration(backend: BlockBackend): Uint8Array {
  const config = new DataView(new ArrayBuffer(60));
  new Uint8Array(config.buffer).set(capacity(backend));
  config.setUint32(8, SIZE_MAX, true);
  config.setUint32(12, SEG_MAX, true);
  config.setUint32(20, SECTOR, true); // blk_size
  config.setUint32(36, MAX_RANGE_SECTORS, true); // max_discard_sectors
  config.setUint32(40, MAX_RANGES, true); // max_discard_seg
  config.setUint32(44, 1, true); // discard_sector_alignment
  config.setUint32(48, MAX_RANGE_SECTORS, true); // max_write_zeroes_sectors
  config.setUint32(52, MAX_RANGES, true); // max_write_zeroes_seg
  config.setUint8(56, 1); // write_zeroes_may_unmap
  return new Uint8Array(config.buffer);
}
