export interface SegmentSpec {
  paddr: bigint;
  vaddr?: bigint;
  data: Uint8Array;
  memsz?: bigint;
  type?: number;
}

/** An ELF64 file with the given segments and, unless undefined, a symbol table. */
export function makeElf(
  segments: SegmentSpec[],
  symbols?: Record<string, bigint>,
  entry = 0x8000_0000n,
): Uint8Array {
  const names = Object.keys(symbols ?? {});
  const strtab = Buffer.from(symbols ? `\0${names.map((name) => `${name}\0`).join('')}` : '');
  const headers = 64 + 56 * segments.length;
  const dataSize = segments.reduce((sum, { data }) => sum + data.length, 0);
  const symtabAt = headers + dataSize;
  const strtabAt = symtabAt + (symbols ? 24 * (names.length + 1) : 0);
  const sectionsAt = strtabAt + strtab.length;
  const file = Buffer.alloc(sectionsAt + (symbols ? 3 * 64 : 0));
  Buffer.from('7f454c46020101', 'hex').copy(file);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(243, 18);
  file.writeBigUInt64LE(entry, 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(segments.length, 56);
  let at = headers;
  segments.forEach(({ paddr, vaddr, data, memsz, type }, index) => {
    const header = 64 + 56 * index;
    file.writeUInt32LE(type ?? 1, header);
    file.writeBigUInt64LE(BigInt(at), header + 8);
    file.writeBigUInt64LE(vaddr ?? paddr, header + 16);
    file.writeBigUInt64LE(paddr, header + 24);
    file.writeBigUInt64LE(BigInt(data.length), header + 32);
    file.writeBigUInt64LE(memsz ?? BigInt(data.length), header + 40);
    Buffer.from(data).copy(file, at);
    at += data.length;
  });
  if (symbols) {
    file.writeBigUInt64LE(BigInt(sectionsAt), 40);
    file.writeUInt16LE(64, 58);
    file.writeUInt16LE(3, 60);
    names.forEach((name, index) => {
      const symbol = symtabAt + 24 * (index + 1);
      file.writeUInt32LE(strtab.indexOf(`\0${name}\0`) + 1, symbol);
      file.writeUInt16LE(0xfff1, symbol + 6);
      file.writeBigUInt64LE(symbols[name] ?? 0n, symbol + 8);
    });
    const section = (
      index: number,
      type: number,
      offset: number,
      size: number,
      link: number,
      entry: number,
    ) => {
      const header = sectionsAt + 64 * index;
      file.writeUInt32LE(type, header + 4);
      file.writeBigUInt64LE(BigInt(offset), header + 24);
      file.writeBigUInt64LE(BigInt(size), header + 32);
      file.writeUInt32LE(link, header + 40);
      file.writeBigUInt64LE(BigInt(entry), header + 56);
    };
    section(1, 2, symtabAt, strtabAt - symtabAt, 2, 24);
    section(2, 3, strtabAt, strtab.length, 0, 0);
    strtab.copy(file, strtabAt);
  }
  return new Uint8Array(file);
}
