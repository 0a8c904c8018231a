/** ELF64 executables for RISC-V (System V ABI, chapters 4 and 5; RISC-V psABI). */
import { MachineError } from './errors.ts';

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const SECTION_HEADER_SIZE = 64;
const SYMBOL_SIZE = 24;

const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const TYPE_SHARED = 3;
const MACHINE_RISCV = 243;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
/** Section 0 holds counts that do not fit the header. */
const PN_XNUM = 0xffff;

/** Bytes `data` at physical `address`, followed by zeros up to `size` bytes. */
export interface Segment {
  readonly address: bigint;
  readonly virtualAddress: bigint;
  readonly data: Uint8Array;
  readonly size: bigint;
}

export interface Elf {
  /** Physical address of the first instruction. */
  readonly entry: bigint;
  /** What to load, none empty, in ascending order of address, none overlapping. */
  readonly segments: readonly Segment[];
  /** Physical address of a symbol; undefined when the file has no symbol of that name. */
  symbol(name: string): bigint | undefined;
}

/** @throws MachineError when the file is damaged, or not an ELF64 executable for little-endian RISC-V. */
export function parseElf(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  checkHeader(view);
  const sections = readSections(view);
  const segments = readSegments(file, view, sections);
  const physical = (address: bigint) => toPhysical(segments, address);
  return {
    entry: physical(view.getBigUint64(24, true)),
    segments,
    symbol: (name) => {
      const address = findSymbol(file, view, sections, name);
      return address === undefined ? undefined : physical(address);
    },
  };
}

/**
 * Copies the segments into RAM, which begins at physical address `ramStart`.
 * @throws MachineError when a segment does not lie in RAM
 */
export function loadElf(elf: Elf, ram: Uint8Array, ramStart: number): void {
  for (const { address, data, size } of elf.segments) {
    const offset = address - BigInt(ramStart);
    if (offset < 0n || offset + size > BigInt(ram.length)) {
      const ramEnd = ramStart + ram.length;
      throw new MachineError(
        `ELF segment ${range(address, size)} lies outside of RAM (${hex(ramStart)} to ${hex(ramEnd)})`,
      );
    }
    ram.set(data, Number(offset));
    ram.fill(0, Number(offset) + data.length, Number(offset + size));
  }
}

function checkHeader(view: DataView): void {
  if (view.byteLength < 4 || view.getUint32(0) !== 0x7f454c46) fail('not an ELF file');
  if (view.byteLength < HEADER_SIZE) fail('ELF file is truncated');
  if (view.getUint8(4) !== CLASS_64) fail('not a 64-bit ELF file');
  if (view.getUint8(5) !== DATA_LITTLE_ENDIAN) fail('not a little-endian ELF file');
  const machine = view.getUint16(18, true);
  if (machine !== MACHINE_RISCV)
    fail(`ELF file is for machine ${machine}, not for RISC-V (${MACHINE_RISCV})`);
  const type = view.getUint16(16, true);
  if (type !== TYPE_EXECUTABLE && type !== TYPE_SHARED) fail(`ELF file of type ${type} is not executable`);
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly entrySize: number;
}

function readSections(view: DataView): Section[] {
  const start = offset64(view, 40);
  if (start === 0) return [];
  const read = (index: number): Section => {
    const header = start + index * SECTION_HEADER_SIZE;
    return {
      type: view.getUint32(header + 4, true),
      offset: offset64(view, header + 24),
      size: offset64(view, header + 32),
      link: view.getUint32(header + 40, true),
      info: view.getUint32(header + 44, true),
      entrySize: offset64(view, header + 56),
    };
  };
  if (view.getUint16(58, true) !== SECTION_HEADER_SIZE) fail('ELF section headers have an unknown size');
  checkBounds(view, start, SECTION_HEADER_SIZE, 'section headers');
  const count = view.getUint16(60, true) || read(0).size;
  checkBounds(view, start, count * SECTION_HEADER_SIZE, 'section headers');
  return Array.from({ length: count }, (_, index) => read(index));
}

function readSegments(file: Uint8Array, view: DataView, sections: readonly Section[]): Segment[] {
  const start = offset64(view, 32);
  const inHeader = view.getUint16(56, true);
  const count = inHeader === PN_XNUM ? (sections[0]?.info ?? inHeader) : inHeader;
  if (count > 0 && view.getUint16(54, true) !== PROGRAM_HEADER_SIZE) {
    fail('ELF program headers have an unknown size');
  }
  checkBounds(view, start, count * PROGRAM_HEADER_SIZE, 'program headers');

  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const header = start + index * PROGRAM_HEADER_SIZE;
    const size = view.getBigUint64(header + 40, true);
    if (view.getUint32(header, true) !== PT_LOAD || size === 0n) continue;
    const offset = offset64(view, header + 8);
    const fileSize = offset64(view, header + 32);
    checkBounds(view, offset, fileSize, `segment ${index}`);
    if (BigInt(fileSize) > size) fail(`ELF segment ${index} is larger in the file than in memory`);
    segments.push({
      address: view.getBigUint64(header + 24, true),
      virtualAddress: view.getBigUint64(header + 16, true),
      data: file.subarray(offset, offset + fileSize),
      size,
    });
  }
  if (segments.length === 0) fail('ELF file has nothing to load');
  segments.sort((a, b) => (a.address < b.address ? -1 : 1));
  segments.forEach((segment, index) => {
    const next = segments[index + 1];
    if (next && segment.address + segment.size > next.address) {
      const [first, second] = [range(segment.address, segment.size), range(next.address, next.size)];
      fail(`ELF segments ${first} and ${second} overlap`);
    }
  });
  return segments;
}

/**
 * Addresses in the file are virtual. They differ from physical ones in programs that run at another address
 * than they are loaded to.
 */
function toPhysical(segments: readonly Segment[], address: bigint): bigint {
  const home = segments.find(
    ({ virtualAddress, size }) => address >= virtualAddress && address < virtualAddress + size,
  );
  return home ? home.address + (address - home.virtualAddress) : address;
}

function findSymbol(
  file: Uint8Array,
  view: DataView,
  sections: readonly Section[],
  name: string,
): bigint | undefined {
  const wanted = new TextEncoder().encode(`${name}\0`);
  for (const table of sections.filter(({ type }) => type === SHT_SYMTAB)) {
    const strings = sections[table.link];
    if (!strings || table.entrySize !== SYMBOL_SIZE) fail('ELF symbol table is damaged');
    checkBounds(view, table.offset, table.size, 'symbol table');
    checkBounds(view, strings.offset, strings.size, 'string table');
    const names = file.subarray(strings.offset, strings.offset + strings.size);
    for (let at = table.offset; at + SYMBOL_SIZE <= table.offset + table.size; at += SYMBOL_SIZE) {
      const nameOffset = view.getUint32(at, true);
      const defined = view.getUint16(at + 6, true) !== 0;
      if (defined && wanted.every((byte, index) => names[nameOffset + index] === byte)) {
        return view.getBigUint64(at + 8, true);
      }
    }
  }
  return undefined;
}

/** A 64-bit offset or size. A value too large for a number is also larger than any file. */
function offset64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function checkBounds(view: DataView, start: number, size: number, what: string): void {
  if (start + size > view.byteLength) fail(`ELF file is truncated: its ${what} end after the file`);
}

function range(start: bigint, size: bigint): string {
  return `${hex(start)} to ${hex(start + size)}`;
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function fail(message: string): never {
  throw new MachineError(message);
}
