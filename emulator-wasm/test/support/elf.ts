/** The part of ELF64 that the tests need: writes their own executables, reads those of the cross linker. */

export interface Elf {
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly symbols: ReadonlyMap<string, number>;
}

export interface Segment {
  /** Physical address. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The size in memory. Bytes beyond `bytes` are zero. */
  readonly memorySize: number;
}

const HEADER = 64;
const PROGRAM_HEADER = 56;
const MACHINE_RISCV = 243;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;

/** Returns a static executable with one readable, writable and executable segment at `address`. */
export function writeElf(image: Uint8Array, address: number, entry: number): Uint8Array {
  const offset = 0x1000;
  const file = new Uint8Array(offset + image.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, MACHINE_RISCV, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(HEADER), true);
  view.setUint32(48, 5, true); // EF_RISCV_RVC, double-float ABI
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 1, true);
  view.setUint32(HEADER, PT_LOAD, true);
  view.setUint32(HEADER + 4, 7, true);
  view.setBigUint64(HEADER + 8, BigInt(offset), true);
  view.setBigUint64(HEADER + 16, BigInt(address), true);
  view.setBigUint64(HEADER + 24, BigInt(address), true);
  view.setBigUint64(HEADER + 32, BigInt(image.length), true);
  view.setBigUint64(HEADER + 40, BigInt(image.length), true);
  view.setBigUint64(HEADER + 48, 0x1000n, true);
  file.set(image, offset);
  return file;
}

/** Reads an executable of the cross linker, without checks against malformed files. */
export function readElf(file: Uint8Array): Elf {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const segments: Segment[] = [];
  for (let i = 0, at = word(32); i < view.getUint16(56, true); i++, at += view.getUint16(54, true)) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const bytes = file.subarray(word(at + 8), word(at + 8) + word(at + 32));
    segments.push({ address: word(at + 24), bytes, memorySize: word(at + 40) });
  }
  return { entry: word(24), segments, symbols: readSymbols(file, view, word) };
}

function readSymbols(file: Uint8Array, view: DataView, word: (at: number) => number): Map<string, number> {
  const symbols = new Map<string, number>();
  const sections = word(40);
  const size = view.getUint16(58, true);
  for (let i = 0; i < view.getUint16(60, true); i++) {
    const section = sections + i * size;
    if (view.getUint32(section + 4, true) !== SHT_SYMTAB) continue;
    const strings = word(sections + view.getUint32(section + 40, true) * size + 24);
    for (let at = word(section + 24); at < word(section + 24) + word(section + 32); at += 24) {
      const start = strings + view.getUint32(at, true);
      const name = new TextDecoder().decode(file.subarray(start, file.indexOf(0, start)));
      symbols.set(name, word(at + 8));
    }
  }
  return symbols;
}
