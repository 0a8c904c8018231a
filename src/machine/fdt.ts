/** Writes flattened device trees, version 17 (Devicetree Specification v0.4, chapter 5). */

/** Cells are 32-bit numbers, strings end in NUL, `true` is a property without a value. */
export type FdtValue = true | string | readonly string[] | readonly number[] | Uint8Array;

export interface FdtNode {
  readonly properties?: Readonly<Record<string, FdtValue>>;
  /** Children by name, unit address included (`cpu@0`). */
  readonly children?: Readonly<Record<string, FdtNode>>;
}

export interface FdtReservation {
  readonly address: bigint;
  readonly size: bigint;
}

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_SIZE = 40;

const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const END = 9;

// Sections 2.2.1 and 2.2.4.1 of the specification.
const NODE_NAME = /^[A-Za-z][\w,.+-]{0,30}(@[\w,.+-]+)?$/;
const PROPERTY_NAME = /^[\w,.+?#-]{1,31}$/;

/**
 * @param bootCpu the `reg` of the CPU that boots
 * @throws RangeError for a name or cell that the format cannot express
 */
export function writeFdt(
  root: FdtNode,
  reservations: readonly FdtReservation[] = [],
  bootCpu = 0,
): Uint8Array<ArrayBuffer> {
  const strings = new StringBlock();
  const structure = new Bytes();
  writeNode(structure, strings, '', root);
  structure.u32(END);

  const reserved = new Bytes();
  for (const { address, size } of [...reservations, { address: 0n, size: 0n }]) {
    reserved.u64(address);
    reserved.u64(size);
  }

  const structureOffset = HEADER_SIZE + reserved.length;
  const stringsOffset = structureOffset + structure.length;
  const blob = new Bytes();
  blob.u32(MAGIC);
  blob.u32(stringsOffset + strings.bytes.length);
  blob.u32(structureOffset);
  blob.u32(stringsOffset);
  blob.u32(HEADER_SIZE);
  blob.u32(VERSION);
  blob.u32(LAST_COMPATIBLE_VERSION);
  blob.u32(bootCpu);
  blob.u32(strings.bytes.length);
  blob.u32(structure.length);
  for (const block of [reserved, structure, strings.bytes]) blob.append(block.view());
  return blob.view().slice();
}

function writeNode(out: Bytes, strings: StringBlock, name: string, node: FdtNode): void {
  out.u32(BEGIN_NODE);
  out.append(encodeString(name));
  out.align(4);
  for (const [property, value] of Object.entries(node.properties ?? {})) {
    if (!PROPERTY_NAME.test(property)) throw new RangeError(`bad property name "${property}"`);
    const data = encode(value);
    out.u32(PROP);
    out.u32(data.length);
    out.u32(strings.offset(property));
    out.append(data);
    out.align(4);
  }
  for (const [childName, child] of Object.entries(node.children ?? {})) {
    if (!NODE_NAME.test(childName)) throw new RangeError(`bad node name "${childName}"`);
    writeNode(out, strings, childName, child);
  }
  out.u32(END_NODE);
}

function encode(value: FdtValue): Uint8Array {
  if (value === true) return new Uint8Array();
  if (value instanceof Uint8Array) return value;
  const out = new Bytes();
  for (const item of typeof value === 'string' ? [value] : value) {
    if (typeof item === 'string') out.append(encodeString(item));
    else out.u32(item);
  }
  return out.view();
}

function encodeString(text: string): Uint8Array {
  if (text.includes('\0')) throw new RangeError('a device tree string cannot hold NUL');
  return new TextEncoder().encode(`${text}\0`);
}

/** Every property name once. */
class StringBlock {
  readonly bytes = new Bytes();
  readonly #offsets = new Map<string, number>();

  offset(name: string): number {
    let offset = this.#offsets.get(name);
    if (offset === undefined) {
      offset = this.bytes.length;
      this.#offsets.set(name, offset);
      this.bytes.append(encodeString(name));
    }
    return offset;
  }
}

/** A growing big-endian buffer. */
class Bytes {
  length = 0;
  #data = new Uint8Array(1024);

  view(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    const start = this.#grow(bytes.length);
    this.#data.set(bytes, start);
  }

  align(unit: number): void {
    this.#grow(-this.length & (unit - 1));
  }

  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
      throw new RangeError(`${value} is not a 32-bit cell`);
    }
    const start = this.#grow(4);
    new DataView(this.#data.buffer).setUint32(start, value);
  }

  u64(value: bigint): void {
    this.u32(Number(value >> 32n));
    this.u32(Number(value & 0xffff_ffffn));
  }

  /** Adds zero bytes and returns where they begin. */
  #grow(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.#data.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.#data.length));
      larger.set(this.#data.subarray(0, start));
      this.#data = larger;
    }
    return start;
  }
}
