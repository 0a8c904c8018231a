import {
  H_F,
  H_INSTRET,
  H_MCAUSE,
  H_MEPC,
  H_MTVAL,
  H_MTVEC,
  H_PC,
  H_PRIV,
  H_SATP,
  H_SCAUSE,
  H_SEPC,
  H_STVAL,
  H_STVEC,
  H_X,
  M_RAM_BASE,
  M_RAM_SIZE,
  POWER_RUNNING,
  RAM_START,
} from '../../emulator-wasm/layout.ts';
import type { Core } from './core.ts';
import { hartWord } from './hart-words.ts';

const MACHINE = 3;
const PRIVILEGES = ['U', 'S', '?', 'M'];
const OPCODE_SYSTEM = 0x73;
const ECALL = 0x0000_0073;
const WFI = 0x1050_0073;
const SATP_MODE_SV39 = 8n;
const PTE_VALID = 1n;
const PTE_READ_EXECUTE = 0b1010n;
const TRAP_REGISTERS = [H_SCAUSE, H_SEPC, H_STVAL, H_MCAUSE, H_MEPC, H_MTVAL];

// Names of the integer and floating-point registers (RISC-V psABI).
const X_NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6';
const F_NAMES =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11';
const REGISTER_FILES: readonly (readonly [number, readonly string[]])[] = [
  [H_X, X_NAMES.split(' ')],
  [H_F, F_NAMES.split(' ')],
];
const REGISTER_WORDS = (H_F - H_X) / 4 + 64;

/**
 * Steps a hart and writes a line for each instruction that it retires: hart, privilege, pc,
 * instruction, changed registers; and one for each trap.
 */
export class Tracer {
  readonly #core: Core;
  readonly #view: DataView;
  readonly #registers: Uint32Array;
  readonly #hart: number;
  readonly #write: (text: string) => void;
  #lines: string[] = [];

  constructor(core: Core, memory: WebAssembly.Memory, hart: number, write: (text: string) => void) {
    this.#core = core;
    this.#view = new DataView(memory.buffer);
    this.#registers = new Uint32Array(memory.buffer, hartWord(hart, H_X), REGISTER_WORDS);
    this.#hart = hart;
    this.#write = write;
  }

  /** Runs some instructions. Returns the machine's power. */
  run(count: number): number {
    let power = POWER_RUNNING;
    for (let step = 0; step < count && power === POWER_RUNNING; step++) power = this.#step();
    this.#flush();
    return power;
  }

  #step(): number {
    const before = this.#snapshot();
    const instruction = this.#fetch(before.pc);
    const power = this.#core.run(this.#hart, 1n);
    const after = this.#snapshot();
    const trapped = isTrap(before, after, instruction);
    const handler = trapped ? this.#reportTrap(after) : before.pc;
    // An exception retires nothing, an interrupt the first instruction of its handler.
    if (after.retired !== before.retired) {
      this.#report(handler, trapped ? this.#fetch(handler) : instruction, before, after);
    }
    // The next step may sleep, and these lines would not appear until it ends.
    if (instruction === WFI || instruction === ECALL) this.#flush();
    return power;
  }

  #report(pc: bigint, instruction: number | undefined, before: Snapshot, after: Snapshot): void {
    const bytes = instruction === undefined ? '?' : hex(instruction, isCompressed(instruction) ? 4 : 8);
    const changes: string[] = [];
    for (const [base, names] of REGISTER_FILES) {
      names.forEach((name, index) => {
        const word = (base - H_X) / 4 + 2 * index;
        const [low = 0, high = 0] = after.registers.subarray(word, word + 2);
        if (low === before.registers[word] && high === before.registers[word + 1]) return;
        changes.push(`${name}=${high === 0 ? hex(low) : hex(high) + hex(low, 8)}`);
      });
    }
    this.#line(hex(pc, 16), bytes.padEnd(8), ...changes);
  }

  /** Returns the address of the handler. */
  #reportTrap(after: Snapshot): bigint {
    const machine = after.privilege === MACHINE;
    const [cause = 0n, epc = 0n, tval = 0n] = machine ? after.traps.slice(3) : after.traps;
    this.#line('trap', `cause=${hex(cause)}`, `epc=${hex(epc)}`, `tval=${hex(tval)}`);
    const vector = this.#u64(machine ? H_MTVEC : H_STVEC);
    const base = vector & ~3n;
    // Vectored mode sends interrupts, and only those, to a handler each.
    return vector & 1n && cause >> 63n ? base + 4n * (cause & 0xffn) : base;
  }

  #line(...fields: string[]): void {
    this.#lines.push(`${this.#hart} ${PRIVILEGES[this.#u32(H_PRIV)]} ${fields.join(' ').trimEnd()}\n`);
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#write(this.#lines.splice(0).join(''));
  }

  #snapshot(): Snapshot {
    return {
      registers: this.#registers.slice(),
      traps: TRAP_REGISTERS.map((csr) => this.#u64(csr)),
      pc: this.#u64(H_PC),
      privilege: this.#u32(H_PRIV),
      retired: this.#u64(H_INSTRET),
    };
  }

  /** The instruction at a virtual address, 2 or 4 bytes of it; undefined where there is none. */
  #fetch(pc: bigint): number | undefined {
    const low = this.#fetchHalf(pc);
    if (low === undefined || isCompressed(low)) return low;
    const high = this.#fetchHalf(pc + 2n);
    return high === undefined ? undefined : low + high * 0x1_0000;
  }

  #fetchHalf(address: bigint): number | undefined {
    const physical = this.#translate(address);
    const host = physical === undefined ? undefined : this.#hostAddress(physical);
    return host === undefined ? undefined : this.#view.getUint16(host, true);
  }

  /** Walks the page table as Sv39 does (privileged specification, 12.4). The core checks permissions. */
  #translate(address: bigint): bigint | undefined {
    const satp = this.#u64(H_SATP);
    if (this.#u32(H_PRIV) === MACHINE || satp >> 60n !== SATP_MODE_SV39) return address;
    let table = (satp & 0xfff_ffff_ffffn) << 12n;
    for (let shift = 30n; shift >= 12n; shift -= 9n) {
      const at = this.#hostAddress(table + ((address >> shift) & 0x1ffn) * 8n);
      const entry = at === undefined ? 0n : this.#view.getBigUint64(at, true);
      if (!(entry & PTE_VALID)) return undefined;
      const page = ((entry >> 10n) & 0xfff_ffff_ffffn) << 12n;
      const offset = (1n << shift) - 1n;
      if (entry & PTE_READ_EXECUTE) return (page & ~offset) | (address & offset);
      table = page;
    }
    return undefined;
  }

  #hostAddress(physical: bigint): number | undefined {
    const offset = physical - BigInt(RAM_START);
    if (offset < 0n || offset >= this.#view.getBigUint64(M_RAM_SIZE, true)) return undefined;
    return this.#view.getUint32(M_RAM_BASE, true) + Number(offset);
  }

  #u64(word: number): bigint {
    return this.#view.getBigUint64(hartWord(this.#hart, word), true);
  }

  #u32(word: number): number {
    return this.#view.getUint32(hartWord(this.#hart, word), true);
  }
}

/** The state that a step may change and the trace shows. */
interface Snapshot {
  /** The register files, in words from H_X on. */
  readonly registers: Uint32Array;
  readonly traps: readonly bigint[];
  readonly pc: bigint;
  readonly privilege: number;
  readonly retired: bigint;
}

/** Besides traps, only CSR instructions write the trap registers, and nothing else raises the privilege. */
function isTrap(before: Snapshot, after: Snapshot, instruction: number | undefined): boolean {
  if (after.privilege > before.privilege) return true;
  const isSystem = instruction !== undefined && (instruction & 0x7f) === OPCODE_SYSTEM;
  if (isSystem && after.retired !== before.retired && after.pc === before.pc + 4n) return false;
  return before.traps.some((value, index) => value !== after.traps[index]);
}

function isCompressed(instruction: number): boolean {
  return (instruction & 3) !== 3;
}

function hex(value: bigint | number | undefined, digits = 1): string {
  return (value ?? 0).toString(16).padStart(digits, '0');
}
