import type { Architecture } from '../../options/platform.mjs';
import { ELF_MACHINES } from '../emulator.ts';

/** Of RISC-V's opcode custom-0, UDF of AArch64, and UD2 of x86. */
const INSTRUCTIONS: Readonly<Record<Architecture, number>> = { riscv64: 0x0b, arm64: 0, amd64: 0x0b0f };

/** An executable with a single instruction, which no processor of its kind has. */
export function illegalProgram(architecture: Architecture): Buffer {
  const address = 0x10000n;
  const elf = Buffer.alloc(64 + 56 + 4);
  Buffer.from('7f454c46020101', 'hex').copy(elf);
  // An executable with one segment, which holds the whole file.
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(ELF_MACHINES[architecture], 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(address + 120n, 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  elf.writeBigUInt64LE(address, 80);
  elf.writeBigUInt64LE(BigInt(elf.length), 96);
  elf.writeBigUInt64LE(BigInt(elf.length), 104);
  elf.writeUInt32LE(INSTRUCTIONS[architecture], 120);
  return elf;
}
