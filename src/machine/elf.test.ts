import { describe, expect, test } from 'vitest';
import { loadElf, parseElf } from './elf.ts';
import { MachineError } from './errors.ts';
import { makeElf } from './testing/make-elf.ts';

const RAM_START = 0x8000_0000;

const CODE = Uint8Array.of(0x73, 0x00, 0x50, 0x10);
const SIMPLE = makeElf([{ paddr: 0x8000_0000n, data: CODE }]);

function patched(change: (file: DataView) => void): Uint8Array {
  const copy = SIMPLE.slice();
  change(new DataView(copy.buffer));
  return copy;
}

describe('parseElf', () => {
  test('finds entry and segments', () => {
    const elf = parseElf(
      makeElf(
        [
          { paddr: 0x8000_2000n, data: Uint8Array.of(1, 2), memsz: 0x100n },
          { paddr: 0n, data: Uint8Array.of(9), type: 4 },
          { paddr: 0x8000_0000n, data: CODE },
          { paddr: 0x8000_1000n, data: new Uint8Array() },
        ],
        undefined,
        0x8000_0002n,
      ),
    );
    expect(elf.entry).toBe(0x8000_0002n);
    expect(elf.segments.map(({ address, size }) => [address, size])).toEqual([
      [0x8000_0000n, 4n],
      [0x8000_2000n, 0x100n],
    ]);
  });

  test('translates virtual addresses of entry and symbols', () => {
    const elf = parseElf(
      makeElf(
        [{ paddr: 0x8000_0000n, vaddr: 0xffff_ffff_8000_0000n, data: CODE }],
        { tohost: 0xffff_ffff_8000_0002n },
        0xffff_ffff_8000_0000n,
      ),
    );
    expect(elf.entry).toBe(0x8000_0000n);
    expect(elf.symbol('tohost')).toBe(0x8000_0002n);
  });

  test('looks symbols up by their whole name', () => {
    const elf = parseElf(
      makeElf([{ paddr: 0x8000_0000n, data: CODE }], { tohost2: 1n, xtohost: 2n, tohost: 0x8000_1000n }),
    );
    expect(elf.symbol('tohost')).toBe(0x8000_1000n);
    expect(elf.symbol('toho')).toBeUndefined();
  });

  test('has no symbols in a stripped file', () => {
    expect(parseElf(SIMPLE).symbol('tohost')).toBeUndefined();
  });

  test.each([
    ['no ELF', new TextEncoder().encode('#!/bin/sh\n'), /not an ELF file/],
    ['an empty file', new Uint8Array(), /not an ELF file/],
    ['a truncated header', SIMPLE.subarray(0, 40), /truncated/],
    ['a 32-bit file', patched((file) => file.setUint8(4, 1)), /not a 64-bit/],
    ['a big-endian file', patched((file) => file.setUint8(5, 2)), /not a little-endian/],
    ['x86-64', patched((file) => file.setUint16(18, 62, true)), /for machine 62, not for RISC-V/],
    ['an object file', patched((file) => file.setUint16(16, 1, true)), /type 1 is not executable/],
    ['a truncated segment', SIMPLE.subarray(0, SIMPLE.length - 1), /truncated: its segment 0/],
    ['program headers outside', patched((file) => file.setBigUint64(32, 1n << 60n, true)), /program headers/],
    ['section headers outside', patched((file) => file.setBigUint64(40, 1n << 63n, true)), /section headers/],
    ['too large program headers', patched((file) => file.setUint16(54, 57, true)), /unknown size/],
    [
      'more in file than in memory',
      patched((file) => file.setBigUint64(64 + 40, 3n, true)),
      /larger in the file/,
    ],
    ['no segment', patched((file) => file.setUint32(64, 2, true)), /nothing to load/],
  ])('refuses %s', (_, file, message) => {
    expect(() => parseElf(file)).toThrow(message);
  });

  test('refuses overlapping segments', () => {
    const file = makeElf([
      { paddr: 0x8000_0ffcn, data: CODE, memsz: 5n },
      { paddr: 0x8000_1000n, data: CODE },
    ]);
    expect(() => parseElf(file)).toThrow(/0x80000ffc to 0x80001001 and 0x80001000 to 0x80001004 overlap/);
  });

  test('refuses a damaged symbol table only when it is asked for', () => {
    const file = makeElf([{ paddr: 0x8000_0000n, data: CODE }], { tohost: 1n });
    const sections = Number(new DataView(file.buffer).getBigUint64(40, true));
    new DataView(file.buffer).setUint32(sections + 64 + 40, 77, true);
    expect(() => parseElf(file).symbol('tohost')).toThrow(/symbol table is damaged/);
  });

  test('survives any single damaged byte', () => {
    const file = makeElf([{ paddr: 0x8000_0000n, data: CODE }], { tohost: 1n });
    for (let at = 0; at < file.length; at++) {
      for (const value of [0x00, 0x7f, 0xff]) {
        const damaged = new Uint8Array(file);
        damaged[at] = value;
        try {
          parseElf(damaged).symbol('tohost');
        } catch (error) {
          if (!(error instanceof MachineError)) throw error;
        }
      }
    }
  });
});

describe('loadElf', () => {
  test('copies the file’s contents and clears the rest', () => {
    const ram = new Uint8Array(0x2000).fill(0xee);
    loadElf(parseElf(makeElf([{ paddr: 0x8000_1000n, data: CODE, memsz: 6n }])), ram, RAM_START);
    expect([...ram.subarray(0xfff, 0x1007)]).toEqual([0xee, ...CODE, 0, 0, 0xee]);
  });

  test.each([
    ['below', 0x7fff_fffcn, 8n],
    ['above', 0x8000_0ffdn, 4n],
    ['far above', 0xffff_ffff_ffff_fff0n, 8n],
    ['huge', 0x8000_0000n, 1n << 62n],
  ])('refuses a segment %s', (_, paddr, memsz) => {
    const elf = parseElf(makeElf([{ paddr, data: CODE, memsz }]));
    expect(() => loadElf(elf, new Uint8Array(0x1000), RAM_START)).toThrow(
      /lies outside of RAM \(0x80000000 to 0x80001000\)/,
    );
  });
});
