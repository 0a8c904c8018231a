import { describe, expect, it } from 'vitest';
import { hasRva23Qemu } from '../support/qemu.ts';
import { buildBatch, runOnQemu } from './batch.ts';
import { createCore, identities, runBatch } from './campaign.ts';
import { firstDifference } from './compare.ts';
import { GROUPS, type Group, RVA23_GROUPS } from './program.ts';

/** Fixed, so that only a change to the code causes a failure. `npm run fuzz` uses other seeds. */
const SEED = 2024;
/** Compiling all code takes longer. */
const PROGRAMS = process.env.JIT && !process.env.LONG_TESTS ? 2 : 40;
const ROUNDS = 20;
const INSTRUCTIONS = PROGRAMS * 25_000;

describe('random programs', () => {
  let instructions = 0;

  const agrees = async (group: Group) => {
    const core = await createCore();
    const outcome = await runBatch(core, identities(SEED, group, 0, PROGRAMS));
    expect(outcome.failures).toEqual([]);
    instructions += outcome.instructions;
  };
  const old = GROUPS.filter((group) => !RVA23_GROUPS.has(group));
  it.each(old)('group %s agrees with QEMU', { timeout: 240_000 }, agrees);
  it.skipIf(!hasRva23Qemu).each([...RVA23_GROUPS])('group %s agrees with QEMU', { timeout: 240_000 }, agrees);

  it('agree with QEMU when they run often', { timeout: 240_000 }, async () => {
    const core = await createCore();
    const outcome = await runBatch(core, identities(SEED, 'mixed', PROGRAMS, 3), ROUNDS);
    expect(outcome.failures).toEqual([]);
    expect(outcome.instructions).toBeGreaterThan(3 * ROUNDS * 500);
  });

  it('execute many instructions', () => {
    console.log(`${instructions} instructions agree with QEMU, seed ${SEED}`);
    expect(instructions).toBeGreaterThan(INSTRUCTIONS);
  });
});

describe('comparison', () => {
  it('finds a single wrong bit in the trace, its hash or memory, and names the program', async () => {
    const batch = buildBatch(identities(SEED, 'mixed', 0, 3), 12, 2);
    const expected = new Uint8Array(await runOnQemu(batch));
    expect(firstDifference(batch, expected, expected)).toBeUndefined();
    for (const { index, scratch, rounds, trace } of batch.programs) {
      for (const address of [scratch + 5, rounds + 8, trace + 1000]) {
        const wrong = expected.slice();
        const offset = address - batch.results;
        wrong[offset] = (wrong[offset] as number) ^ 4;
        expect(firstDifference(batch, expected, wrong)?.placed.index).toBe(index);
      }
    }
  });
});
