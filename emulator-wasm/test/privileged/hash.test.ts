import { beforeEach, describe, expect, it } from 'vitest';
import { decoder } from '../../jit/decoder.ts';
import { H_CODE_PAGE, HARTS, M_CODE_KEY } from '../../layout.ts';
import { coreModule, MachineMemory } from '../support/core.ts';
import { Random } from '../support/random.ts';

const WORDS = 512;
const BITS = WORDS * 64;
const MANY = 4000;

describe('the hash of a page of code', () => {
  let machine: MachineMemory;
  let words: BigUint64Array;
  let hash: () => bigint;

  beforeEach(async () => {
    machine = new MachineMemory(1, 1 << 20, 0);
    words = new BigUint64Array(machine.memory.buffer, HARTS + H_CODE_PAGE, WORDS);
    const { decodePage } = decoder(await coreModule(), machine.memory);
    hash = () => decodePage(HARTS);
  });

  const flip = (bit: number) => {
    words[bit >> 6] = (words[bit >> 6] as bigint) ^ (1n << BigInt(bit & 63));
  };

  it('depends on the key', () => {
    const first = hash();
    for (const place of [M_CODE_KEY, M_CODE_KEY + 8]) {
      machine.view.setBigUint64(place, machine.view.getBigUint64(place, true) ^ (1n << 63n), true);
      expect(hash()).not.toBe(first);
    }
  });

  it.each(['zeros', 'random words'])('tells pages apart that differ in any two bits: %s', (kind) => {
    const random = new Random(1);
    if (kind !== 'zeros') for (let n = 0; n < WORDS; n++) words[n] = random.u64();
    const pages = new Set<string>();
    const hashes = new Set<bigint>();
    for (let n = 0; n < MANY; n++) {
      const first = random.below(BITS);
      // A hash that keeps only the lower half of products loses the highest bits of two words of one lane.
      const second = n % 2 ? random.below(BITS) : ((first | 63) + 128 * (1 + random.below(8))) % BITS;
      if (first === second) continue;
      for (const bit of [first, second]) flip(bit);
      pages.add(String([first, second].sort((a, b) => a - b)));
      hashes.add(hash());
      for (const bit of [first, second]) flip(bit);
    }
    expect(hashes.size).toBe(pages.size);
  });

  it('tells pages apart that differ in one word', () => {
    const seen = new Set<bigint>();
    for (const place of [0, 1, 255, 510, 511]) {
      for (let value = 1; value <= MANY; value++) {
        words[place] = BigInt(value);
        seen.add(hash());
      }
      words[place] = 0n;
    }
    expect(seen.size).toBe(5 * MANY);
  });
});
