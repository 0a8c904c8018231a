/** Random vector code. It mostly suits the vtype that the code before it sets: some of it traps. */
import type { Random } from '../support/random.ts';
import { fieldRange, INSTRUCTIONS, type Instruction, instruction, type Operands } from './instructions.ts';
import type { Code, Roles } from './roles.ts';

const VECTOR = INSTRUCTIONS.filter(({ extension }) => extension === 'V' || extension === 'Zvbb');
const isMemory = ({ match }: Instruction) => (match & 0x5f) === 0x07;
const MEMORY = VECTOR.filter(isMemory);
const ARITHMETIC = VECTOR.filter((one) => !isMemory(one) && !one.name.startsWith('vset'));
const CSRS = { vstart: 0x008, vxsat: 0x009, vxrm: 0x00a, vcsr: 0x00f, vl: 0xc20, vtype: 0xc21, vlenb: 0xc22 };
const isFloating = ({ match }: Instruction) => [1, 5].includes((match >> 12) & 7);
const NOT_FLOATING = ARITHMETIC.filter((one) => !isFloating(one));
/** vlmul, and the smallest elements that it does not allow. Widening and segments need small groups. */
const LMUL = [
  ...[0, 0, 0, 1, 1, 2, 3].map((lmul) => ({ lmul, limit: 4 })),
  ...[7, 6, 5].map((lmul, i) => ({ lmul, limit: 3 - i })),
];
/** Register distances and element numbers rather than whole values. */
const SMALL_SCALAR = /^v(slide(up|down)|rgather)\.x$/;

export class VectorCode {
  readonly #random: Random;
  readonly #roles: Roles;
  readonly #free: readonly number[];
  readonly #scratchBias: number;
  /** The elements' size and the registers in a group, as powers of two. */
  #sew = 0;
  #group = 0;

  constructor(random: Random, roles: Roles, free: readonly number[], scratchBias: number) {
    this.#random = random;
    this.#roles = roles;
    this.#free = free;
    this.#scratchBias = scratchBias;
  }

  atom(): Code[] {
    const roll = this.#random.u32() / 2 ** 32;
    if (roll < 0.16) return this.#configure();
    if (roll < 0.22) return this.#reload();
    if (roll < 0.3) return [this.#csr()];
    return roll < 0.5 ? this.#memory() : this.#arithmetic();
  }

  #code(name: string, operands: Operands): Code {
    return { instruction: instruction(name), operands };
  }

  #vtype(): number {
    const random = this.#random;
    const sew = random.chance(0.03) ? random.between(4, 7) : random.below(4);
    const allowed = LMUL.filter(({ limit }) => sew < limit || random.chance(0.1));
    const lmul = random.chance(0.02) || allowed.length === 0 ? 4 : random.pick(allowed).lmul;
    this.#sew = sew;
    this.#group = lmul < 4 ? lmul : 0;
    return (random.below(4) << 6) | (sew << 3) | lmul | (random.chance(0.02) ? 0x100 : 0);
  }

  #configure(): Code[] {
    const random = this.#random;
    const vtype = this.#vtype();
    const code: Code[] = [];
    let rs1 = random.chance(0.4) ? 0 : random.pick(this.#free);
    // Keeping vl, with x0 twice, allows few types.
    const rd = random.chance(rs1 === 0 ? 0.05 : 0.3) ? 0 : random.pick(this.#free);
    if (random.chance(0.3)) return [this.#code('vsetivli', { rd, imm: random.below(32), vtype })];
    if (rs1 !== 0 && random.chance(0.7)) {
      code.push(this.#code('addi', { rd: rs1, rs1: 0, imm: random.below(random.pick([4, 20, 140])) }));
    } else if (random.chance(0.1)) rs1 = random.pick(this.#free);
    if (random.chance(0.8)) return [...code, this.#code('vsetvli', { rd, rs1, vtype })];
    const { temporary } = this.#roles;
    code.push(this.#code('addi', { rd: temporary, rs1: 0, imm: vtype }));
    return [...code, this.#code('vsetvl', { rd, rs1, rs2: temporary })];
  }

  /** Loads eight registers from the pool. */
  #reload(): Code[] {
    const { address, pool } = this.#roles;
    const imm = 8 * this.#random.below(200);
    return [
      this.#code('csrrwi', { rd: 0, csr: CSRS.vstart, zimm: 0 }),
      this.#code('addi', { rd: address, rs1: pool, imm }),
      this.#code('vl8re8.v', { vd: 8 * this.#random.below(4), rs1: address }),
    ];
  }

  #csr(): Code {
    const random = this.#random;
    const rd = random.chance(0.3) ? 0 : random.pick(this.#free);
    const { vstart, vxsat, vxrm, vcsr, vl, vtype, vlenb } = CSRS;
    switch (random.below(5)) {
      case 0:
        return this.#code('csrrwi', { rd, csr: vstart, zimm: random.below(random.pick([3, 10, 32])) });
      case 1:
        return this.#code('csrrwi', { rd, csr: vcsr, zimm: random.below(8) });
      case 2:
        return this.#code('csrrs', {
          rd,
          csr: random.pick([vl, vtype, vlenb, vstart, vxsat, vxrm, vcsr]),
          rs1: 0,
        });
      case 3:
        return this.#code('csrrw', { rd, csr: vstart, rs1: random.pick(this.#free) });
      default:
        return this.#code('csrrwi', { rd, csr: vxrm, zimm: random.below(4) });
    }
  }

  #register(): number {
    const random = this.#random;
    return random.below(32) & (random.chance(0.8) ? -1 << this.#group : random.pick([-8, -8, -4, -2, -1]));
  }

  #operands(chosen: Instruction): Operands {
    const random = this.#random;
    const operands: Operands = {};
    for (const field of chosen.fields) {
      const { low, high } = fieldRange(field);
      if (field.kind === 'v') operands[field.name] = this.#register();
      else if (field.kind === 'x') operands[field.name] = random.pick(this.#free);
      else if (field.name === 'vm') operands.vm = random.chance(0.6) ? 1 : 0;
      else operands[field.name] = random.between(low, high);
    }
    // The mask is v0, which few results may overwrite under it.
    if (operands.vd === 0 && random.chance(0.8) && operands.vm === 0) operands.vm = 1;
    if (random.chance(0.1)) {
      if (operands.vs2 !== undefined && operands.vd !== undefined) operands.vd = operands.vs2;
    }
    return operands;
  }

  #arithmetic(): Code[] {
    const random = this.#random;
    const chosen = random.pick(this.#sew < 2 && random.chance(0.8) ? NOT_FLOATING : ARITHMETIC);
    const operands = this.#operands(chosen);
    const code: Code[] = [];
    if (SMALL_SCALAR.test(chosen.name) && random.chance(0.7)) {
      const small = { rd: operands.rs1 as number, rs1: 0, imm: random.below(random.pick([3, 20, 140])) };
      code.push(this.#code('addi', small));
    } else if (chosen.fields.some(({ name, kind }) => name === 'rs1' && kind === 'x') && random.chance(0.5)) {
      code.push(
        this.#code('ld', { rd: operands.rs1 as number, rs1: this.#roles.pool, imm: 8 * random.below(256) }),
      );
    }
    code.push({ instruction: chosen, operands });
    return code;
  }

  #memory(): Code[] {
    const random = this.#random;
    const chosen = random.pick(MEMORY);
    const operands = this.#operands(chosen);
    const pointer = random.pick(this.#free);
    operands.rs1 = pointer;
    const code: Code[] = [];
    const index = /xei(\d+)/.exec(chosen.name)?.[1];
    if (index !== undefined) code.push(...this.#bound(operands, Number(index)));
    const { scratch } = this.#roles;
    if (/ff|\dr/.test(chosen.name)) {
      // QEMU 10.0 aborts if vstart is not below the number of elements.
      const zimm = /ff/.test(chosen.name) ? 0 : random.below(2);
      code.push(this.#code('csrrwi', { rd: 0, csr: CSRS.vstart, zimm }));
    }
    if (/ff/.test(chosen.name)) {
      // A page that is present, so that vl depends on nothing else. If fetching the instruction evicts it,
      // the first element is active and faults.
      if (operands.vm === 0) {
        const { temporary } = this.#roles;
        code.push(this.#code('addi', { rd: temporary, rs1: 0, imm: random.below(1024) | 1 }));
        code.push(this.#code('vmv.s.x', { vd: 0, rs1: temporary }));
      }
      const imm = random.below(1900) - this.#scratchBias;
      code.push(this.#code('addi', { rd: pointer, rs1: scratch, imm }));
      code.push(this.#code('lb', { rd: this.#roles.temporary, rs1: pointer, imm: 0 }));
    } else {
      const imm = random.between(-1024, 1024) - (random.chance(0.5) ? this.#scratchBias & 7 : 0);
      code.push(this.#code('addi', { rd: pointer, rs1: scratch, imm: random.chance(0.5) ? imm & -8 : imm }));
    }
    if (operands.rs2 !== undefined) {
      operands.rs2 = this.#free.find((register) => register !== pointer) as number;
      code.push(this.#code('addi', { rd: operands.rs2, rs1: 0, imm: random.between(-20, 20) }));
    }
    code.push({ instruction: chosen, operands });
    return code;
  }

  /** Makes the elements of vs2 small offsets, and sets another vtype and length. */
  #bound(operands: Operands, eew: number): Code[] {
    const { temporary } = this.#roles;
    const vs2 = (operands.vs2 as number) & -8;
    const sew = Math.log2(eew / 8);
    const vtype = this.#vtype();
    const rs1 = this.#random.pick(this.#free);
    return [
      this.#code('vsetvli', { rd: temporary, rs1: 0, vtype: (sew << 3) | 3 }),
      this.#code('addi', { rd: temporary, rs1: 0, imm: 1023 }),
      this.#code('vand.x', { vd: vs2, vs2, rs1: temporary, vm: 1 }),
      this.#code('addi', { rd: rs1, rs1: 0, imm: this.#random.below(40) }),
      this.#code('vsetvli', { rd: 0, rs1, vtype }),
    ];
  }
}
