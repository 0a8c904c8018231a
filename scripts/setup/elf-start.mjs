/** Puts code before the entry point of a program for the guest. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { run } from './run.mjs';

const PAGE = 4096;
// Fields of ELF-64's file header and program headers (ELF gABI, "ELF Header", "Program Header").
const E_ENTRY = 24;
const E_PHOFF = 32;
const E_PHENTSIZE = 54;
const E_PHNUM = 56;
const P_FLAGS = 4;
const P_OFFSET = 8;
const P_VADDR = 16;
const P_FILESZ = 32;
const P_MEMSZ = 40;
const PT_LOAD = 1;
const PF_X = 1;

/**
 * Returns the program with the code of an assembly file in the rest of its last page of code. It starts
 * there, and the file finds the program's own entry point as `original`.
 * @param {string} work @param {Buffer} program @param {string} source
 * @returns {Promise<Buffer>}
 */
export async function withStart(work, program, source) {
  const word = (/** @type {number} */ at) => Number(program.readBigUInt64LE(at));
  const segment = codeSegment(program);
  const size = word(segment + P_FILESZ);
  const [offset, address] = [word(segment + P_OFFSET) + size, word(segment + P_VADDR) + size];
  const code = await assemble(work, source, address, word(E_ENTRY));
  const room = program.subarray(offset, offset + code.length);
  if ((address % PAGE) + code.length > PAGE || room.some((byte) => byte !== 0)) {
    throw new SetupFailure(`the emulator has no room for the ${code.length} bytes of ${source}`);
  }
  const result = Buffer.from(program);
  code.copy(result, offset);
  result.writeBigUInt64LE(BigInt(address), E_ENTRY);
  for (const field of [P_FILESZ, P_MEMSZ])
    result.writeBigUInt64LE(BigInt(size + code.length), segment + field);
  return result;
}

/** @param {Buffer} program @returns {number} the offset of the program header */
function codeSegment(program) {
  const first = Number(program.readBigUInt64LE(E_PHOFF));
  for (let n = 0; n < program.readUInt16LE(E_PHNUM); n++) {
    const header = first + n * program.readUInt16LE(E_PHENTSIZE);
    if (program.readUInt32LE(header) === PT_LOAD && program.readUInt32LE(header + P_FLAGS) & PF_X)
      return header;
  }
  throw new SetupFailure('the emulator has no code');
}

/**
 * @param {string} work @param {string} source @param {number} address @param {number} original
 * @returns {Promise<Buffer>} the code for that address
 */
async function assemble(work, source, address, original) {
  const [linked, code] = [join(work, 'start'), join(work, 'start.bin')];
  const hex = (/** @type {number} */ value) => `0x${value.toString(16)}`;
  const layout = [
    `-Ttext=${hex(address)}`,
    `--defsym=original=${hex(original)}`,
    '--no-relax',
    '--build-id=none',
  ];
  await run('riscv64-linux-gnu-gcc', [
    ...['-nostdlib', '-static', source, '-o', linked],
    ...layout.map((option) => `-Wl,${option}`),
  ]);
  await run('riscv64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', linked, code]);
  return readFile(code);
}
