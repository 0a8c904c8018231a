/** Bare-metal programs, small enough to be written in machine code. */
import { makeElf } from './make-elf.ts';

const START = 0x8000_0000n;
const DATA = 0x8000_1000n;

function program(instructions: number[], symbols?: Record<string, bigint>): Uint8Array {
  return makeElf(
    [
      { paddr: START, data: new Uint8Array(Uint32Array.from(instructions).buffer) },
      { paddr: DATA, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), memsz: 64n },
    ],
    symbols,
  );
}

const HERE = 0x0000006f; // j .
const T1_DATA = 0x00001317; // auipc t1, 1
const T1_FINISHER = 0x00100337; // lui t1, 0x100
const T1_UART = 0x10000337; // lui t1, 0x10000
const STORE_WORD = 0x00732023; // sw t2, (t1)
const STORE_WORD_16 = 0x00732823; // sw t2, 16(t1)
const STORE_BYTE = 0x00730023; // sb t2, (t1)

/** wfi, j -4 */
const SLEEP = [0x10500073, 0xffdff06f];

/** li t2, value of 11 bits */
const t2 = (value: number) => 0x00000393 | (value << 20);

/** Stores `command` and 16 bits of `code` to the test finisher. */
const finish = (command: number, code = 0) => [
  T1_FINISHER,
  0x000003b7 | (((code << 4) | (command >> 12)) << 12), // lui t2, upper
  0x00038393 | ((command & 0xfff) << 20), // addi t2, t2, lower
  STORE_WORD,
  HERE,
];

export const FINISHER_PASS = 0x5555;
export const FINISHER_FAIL = 0x3333;
export const FINISHER_RESET = 0x7777;

export const finisher = (command: number, code?: number) => program(finish(command, code));

/** Stores a word to `tohost`: 1 passes, 2n + 1 fails with n. */
export const htif = (word: number) =>
  program([T1_DATA, t2(word), STORE_WORD_16, HERE], { tohost: DATA + 16n });

/** Makes a system call of HTIF, whose number is the program's data. */
export const htifCall = program(
  // sd t1, 16(t1): the data is the call.
  [T1_DATA, 0x00633823, HERE],
  { tohost: DATA + 16n },
);

/** Writes "Hi\n" to the UART and passes. */
export const hello = program([
  T1_UART,
  ...[...'Hi\n'].flatMap((character) => [t2(character.charCodeAt(0)), STORE_BYTE]),
  ...finish(FINISHER_PASS),
]);

/** Echoes the input of the UART forever, on hart 0 only: two harts would mix up the bytes. */
export const echo = program([
  0xf14023f3, // csrr t2, mhartid
  0x02039063, // bnez t2, 32
  T1_UART,
  0x00534383, // lbu t2, 5(t1): line status
  0x0013f393, // andi t2, t2, 1
  0xfe038ce3, // beqz t2, -8
  0x00034383, // lbu t2, (t1)
  STORE_BYTE,
  0xfedff06f, // j -20
  ...SLEEP,
]);

/** Writes to the UART without end. */
export const flood = program([T1_UART, t2(120), STORE_BYTE, 0xffdff06f]); // j -4

/** Waits for an interrupt that never comes. */
export const asleep = program(SLEEP);

/** Runs forever. */
export const endless = program([HERE]);

/** Passes, with the 8 bytes 1 to 8 as its signature. */
export const signed = program(finish(FINISHER_PASS), { begin_signature: DATA, end_signature: DATA + 8n });
