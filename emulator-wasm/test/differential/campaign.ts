/** Runs random programs on both sides, in batches, and narrows down the differences. */
import { Core, coreModule, MachineMemory } from '../support/core.ts';
import { hasRva23Qemu } from '../support/qemu.ts';
import {
  type Batch,
  buildBatch,
  CoreFailure,
  type CoreMode,
  type Identity,
  runOnCore,
  runOnQemu,
} from './batch.ts';
import { firstDifference } from './compare.ts';
import { GROUPS, type Group, RVA23_GROUPS } from './program.ts';

const RAM_SIZE = 64 << 20;
const ATOMS_PER_CHECKPOINT = 12;
/** In programs of many rounds, which would otherwise mostly write their traces and hash them. */
const ATOMS_PER_CHECKPOINT_IN_ROUNDS = 100;

const FREE = Number.POSITIVE_INFINITY;

/** The modes in which the core runs every batch. All must give the oracle's results. */
export const MODES: readonly CoreMode[] = [
  { name: 'flat', paged: false, thrashing: false, period: 0, stride: FREE },
  { name: 'steps', paged: false, thrashing: false, period: 0, stride: 1 },
  { name: 'paged', paged: true, thrashing: false, period: 0, stride: FREE },
  { name: 'thrashing', paged: true, thrashing: true, period: 0, stride: 1009 },
  { name: 'interrupted', paged: true, thrashing: true, period: 5, stride: 61 },
];

export interface Outcome {
  /** Guest instructions that ran under the oracle and, with equal results, on the core in every mode. */
  readonly instructions: number;
  /** The differences, with the seed that repeats them. */
  readonly failures: readonly string[];
}

/** Returns the programs `from` to `from + count - 1` of a group. */
export function identities(seed: number, group: Group, from: number, count: number): Identity[] {
  return Array.from({ length: count }, (_, i) => ({ seed, group, index: from + i }));
}

/** Creates a core with one hart for batches. Rejects if the core has not been built. */
export async function createCore(): Promise<Core> {
  return new Core(await coreModule(), new MachineMemory(1, RAM_SIZE, 0));
}

/** Runs programs with this number of rounds once under QEMU, and on the core in every mode. */
export async function runBatch(core: Core, programs: readonly Identity[], rounds = 1): Promise<Outcome> {
  const batch = buildBatch(programs, intervalFor(rounds), rounds);
  const expected = await runOnQemu(batch);
  const failures: string[] = [];
  let instructions = 0;
  for (const mode of MODES) {
    // Single instructions are never compiled.
    if (rounds > 1 && mode.stride === 1) continue;
    const { failure, instret } = attempt(core, batch, expected, mode);
    if (mode === MODES[0]) instructions = Number(instret);
    if (failure !== undefined) failures.push(await narrow(core, batch, failure, mode));
  }
  return { instructions: failures.length > 0 ? 0 : instructions, failures };
}

/** The number of atoms between checkpoints. */
export function intervalFor(rounds: number): number {
  return rounds > 1 ? ATOMS_PER_CHECKPOINT_IN_ROUNDS : ATOMS_PER_CHECKPOINT;
}

interface Attempt {
  readonly failure?: string;
  readonly instret: bigint;
}

function attempt(core: Core, batch: Batch, expected: Uint8Array, mode: CoreMode): Attempt {
  try {
    const { results, instret } = runOnCore(core, batch, mode);
    const difference = firstDifference(batch, expected, results);
    return difference ? { failure: difference.report, instret } : { instret };
  } catch (error) {
    if (error instanceof CoreFailure) return { failure: error.message, instret: core.instret };
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return { failure: `the core crashed: ${error}`, instret: core.instret };
  }
}

/**
 * Finds a single program that fails, with a checkpoint after every instruction if it still fails then, and in
 * as few rounds as possible: the trace is that of the last round.
 */
async function narrow(core: Core, batch: Batch, failure: string, mode: CoreMode): Promise<string> {
  for (const interval of [1, intervalFor(batch.rounds)]) {
    for (const { seed, group, index } of batch.programs) {
      const fails = async (rounds: number) => {
        const alone = buildBatch([{ seed, group, index }], interval, rounds);
        return attempt(core, alone, await runOnQemu(alone), mode).failure;
      };
      let found = await fails(batch.rounds);
      if (!found) continue;
      let most = batch.rounds;
      for (let least = 1; least < most; ) {
        const middle = (least + most) >> 1;
        const earlier = await fails(middle);
        if (earlier) [most, found] = [middle, earlier];
        else least = middle + 1;
      }
      return `${title([{ seed, group, index }], most, mode)}\n${found}`;
    }
  }
  return `${title(batch.programs, batch.rounds, mode)} (only together)\n${failure}`;
}

function title(programs: readonly Identity[], rounds: number, { name }: CoreMode): string {
  const { seed, group, index } = programs[0] as Identity;
  const count = programs.length > 1 ? ` --count ${programs.length}` : '';
  const repeat = rounds > 1 ? ` --rounds ${rounds}` : '';
  return `--seed ${seed} --group ${group} --index ${index}${count}${repeat} (${name})`;
}

/** Runs the groups in turn, with `count` programs each from index `from` on. */
export async function runGroups(
  core: Core,
  seed: number,
  from: number,
  count: number,
  rounds: number,
  report: (group: Group, outcome: Outcome) => void,
  groups: readonly Group[] = GROUPS,
): Promise<Outcome> {
  const failures: string[] = [];
  let instructions = 0;
  for (const group of groups) {
    if (RVA23_GROUPS.has(group) && !hasRva23Qemu) continue;
    const outcome = await runBatch(core, identities(seed, group, from, count), rounds);
    report(group, outcome);
    instructions += outcome.instructions;
    failures.push(...outcome.failures);
  }
  return { instructions, failures };
}
