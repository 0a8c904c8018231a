import { describe, expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import { disassemble } from '../support/toolchain.ts';
import { decode, encode, fieldRange, INSTRUCTIONS, type Instruction, type Operands } from './instructions.ts';

function randomOperands(instruction: Instruction, random: Random): Operands {
  for (;;) {
    const operands: Operands = {};
    for (const field of instruction.fields) {
      const { low, high, step } = fieldRange(field);
      operands[field.name] = low + step * random.below((high - low) / step + 1);
    }
    if (!instruction.excluded(operands)) return operands;
  }
}

/** The disassembler's spelling of names that are not aliases. */
const SPELLING: Record<string, RegExp> = {
  'c.slli': /^c\.slli(64)?$/,
  'c.srli': /^c\.srli(64)?$/,
  'c.srai': /^c\.srai(64)?$/,
  'c.addi': /^c\.(addi|nop)$/,
  'fmv.x.w': /^fmv\.x\.[ws]$/,
  'fmv.w.x': /^fmv\.[ws]\.x$/,
};

describe('instruction table', () => {
  const random = new Random(1);
  const samples = INSTRUCTIONS.flatMap((instruction) =>
    Array.from({ length: 40 }, () => ({ instruction, operands: randomOperands(instruction, random) })),
  );

  it('decodes the words that it encodes', () => {
    for (const { instruction, operands } of samples) {
      const found = decode(encode(instruction, operands));
      expect(found?.instruction.name).toBe(instruction.name);
      expect(found?.operands).toEqual(operands);
    }
  });

  it('agrees with the GNU disassembler on names, registers and immediates', async () => {
    const usual = samples
      // Debian's binutils 2.40 do not know all extensions with longer names, and QEMU decodes the same words.
      .filter(
        ({ instruction: { name, extension } }) =>
          (!/^fence/.test(name) && !/^(V|Z(v|ic|im|aw|f|c))/.test(extension)) || extension === 'Zicsr',
      )
      // The disassembler knows exact conversions only with rounding mode 0, although any is legal.
      .map(({ instruction, operands }) => ({
        instruction,
        operands: /^fcvt\.d\.(w|wu|s)$/.test(instruction.name) ? { ...operands, rm: 0 } : operands,
      }));
    const words = usual.map(({ instruction, operands }) => ({
      word: encode(instruction, operands),
      size: instruction.size,
    }));
    const lines = await disassemble(words);
    expect(lines).toHaveLength(usual.length);
    for (const [i, { instruction, operands }] of usual.entries()) {
      const [mnemonic = '', text = ''] = (lines[i] as string).split('\t');
      const name = mnemonic.replace(/\.(aq|rl|aqrl)$/, '');
      expect(name, lines[i]).toMatch(SPELLING[instruction.name] ?? new RegExp(`^${instruction.name}$`));
      for (const { kind, name: field } of instruction.fields) {
        if (kind !== 'number') expect(text, lines[i]).toMatch(new RegExp(`\\b${kind}${operands[field]}\\b`));
      }
      const target = /^(c\.)?(b(eq|ne|lt|ge)|j(al)?$)/.test(instruction.name);
      if (operands.imm === undefined || target || name.endsWith('64')) continue;
      const upper = /lui|auipc/.test(instruction.name);
      const shown = upper ? (operands.imm >> 12) & 0xfffff : operands.imm;
      const numbers = [...text.matchAll(/(?<![xf\w])-?(0x[0-9a-f]+|\d+)/g)].map((match) => Number(match[0]));
      expect(numbers, lines[i]).toContain(shown);
    }
  });
});
