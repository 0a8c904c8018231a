import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runOnMachine } from '../support/machine.ts';
import { qemuSystem } from '../support/qemu.ts';
import { Random } from '../support/random.ts';
import { withTemporaryDirectory } from '../support/toolchain.ts';
import { EXECUTED, ILLEGAL, illegalHalfwords, illegalProgram, illegalWords, type Word } from './illegal.ts';

async function outcomes(words: readonly Word[]): Promise<{ qemu: string; core: string }> {
  return withTemporaryDirectory(async (directory) => {
    const elf = join(directory, 'illegal.elf');
    await writeFile(elf, illegalProgram(words));
    const [oracle, { output: core }] = await Promise.all([qemuSystem(elf), runOnMachine(elf)]);
    return { qemu: oracle.output.toString(), core };
  });
}

function notIllegal(words: readonly Word[], output: string): string[] {
  return words.flatMap(({ word }, i) =>
    output[i] === ILLEGAL ? [] : [`0x${word.toString(16)}: ${output[i] ?? 'never reached'}`],
  );
}

describe('illegal instruction words', { timeout: 60_000 }, () => {
  it('of 16 bits all trap, with the word in mtval', async () => {
    const words = illegalHalfwords();
    const { qemu, core } = await outcomes(words);
    expect(notIllegal(words, qemu)).toEqual([]);
    expect(notIllegal(words, core)).toEqual([]);
  });

  it('of 32 bits all trap, with the word in mtval', async () => {
    const words = illegalWords(new Random(3), 60_000);
    const { qemu, core } = await outcomes(words);
    expect(notIllegal(words, qemu)).toEqual([]);
    expect(notIllegal(words, core)).toEqual([]);
  });

  it('are distinguished from legal ones', async () => {
    const words: Word[] = [
      { word: 0x0000_0013, size: 4 }, // nop
      { word: 0x0001, size: 2 }, // c.nop
      { word: 0, size: 2 },
    ];
    const expected = EXECUTED + EXECUTED + ILLEGAL;
    expect(await outcomes(words)).toEqual({ qemu: expected, core: expected });
  });
});
