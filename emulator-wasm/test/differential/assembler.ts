/** Places instructions at addresses. */
import { encode, type Instruction, instruction, type Operands } from './instructions.ts';

/** A place in the code. Its address is known once it is placed. */
export interface Label {
  address?: number;
}

export class Assembler {
  readonly #origin: number;
  readonly #halfwords: number[] = [];
  readonly #fixups: (() => void)[] = [];

  constructor(origin: number) {
    this.#origin = origin;
  }

  get pc(): number {
    return this.#origin + 2 * this.#halfwords.length;
  }

  emit(what: Instruction | string, operands: Operands): void {
    const chosen = typeof what === 'string' ? instruction(what) : what;
    this.#put(this.#halfwords.length, encode(chosen, operands), chosen.size);
  }

  place(label: Label): Label {
    label.address = this.pc;
    return label;
  }

  /** A branch or jump whose offset is the distance to `target`. */
  jump(what: Instruction | string, operands: Operands, target: Label): void {
    const chosen = typeof what === 'string' ? instruction(what) : what;
    this.#later(chosen.size, (at, pc) => {
      this.#put(at, encode(chosen, { ...operands, imm: addressOf(target) - pc }), chosen.size);
    });
  }

  /** `auipc address; next operands, address`, where the second holds the low part of `target + offset`. */
  relative(next: string, operands: Operands, address: number, target: Label, offset = 0): void {
    this.#later(8, (at, pc) => {
      const distance = addressOf(target) + offset - pc;
      const low = ((distance & 0xfff) ^ 0x800) - 0x800;
      this.#put(at, encode(instruction('auipc'), { rd: address, imm: distance - low }), 4);
      this.#put(at + 2, encode(instruction(next), { ...operands, rs1: address, imm: low }), 4);
    });
  }

  /** A 32-bit constant, sign-extended. */
  constant(rd: number, value: number): void {
    const low = ((value & 0xfff) ^ 0x800) - 0x800;
    const high = (value - low) | 0;
    if (high !== 0) this.emit('lui', { rd, imm: high });
    this.emit(high === 0 ? 'addi' : 'addiw', { rd, rs1: high === 0 ? 0 : rd, imm: low });
  }

  /** The code so far. All labels must be placed. */
  bytes(): Uint8Array {
    for (const fix of this.#fixups.splice(0)) fix();
    return new Uint8Array(Uint16Array.from(this.#halfwords).buffer);
  }

  #later(size: number, fill: (index: number, pc: number) => void): void {
    const index = this.#halfwords.length;
    const pc = this.pc;
    for (let i = 0; i < size; i += 2) this.#halfwords.push(0);
    this.#fixups.push(() => fill(index, pc));
  }

  #put(index: number, word: number, size: 2 | 4): void {
    this.#halfwords[index] = word & 0xffff;
    if (size === 4) this.#halfwords[index + 1] = word >>> 16;
  }
}

function addressOf({ address }: Label): number {
  if (address === undefined) throw new Error('label was never placed');
  return address;
}
