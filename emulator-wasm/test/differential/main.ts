/**
 * The long form of the differential test.
 *
 *     fuzz [--seed N] [--long] [--minutes N] [--rounds N]          all groups, until the time is up
 *     fuzz --group G --minutes N [--seed N] [--rounds N]           one group
 *     fuzz --seed N --group G --index N [--count N] [--rounds N]   repeats one batch, as named by a failure
 *
 * Programs of many rounds become hot.
 */
import { parseArgs } from 'node:util';
import type { Identity } from './batch.ts';
import { createCore, identities, intervalFor, type Outcome, runBatch, runGroups } from './campaign.ts';
import { GROUPS, type Group } from './program.ts';
import { countVectors } from './vector-count.ts';

const PROGRAMS = 40;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    group: { type: 'string' },
    index: { type: 'string' },
    count: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    rounds: { type: 'string', default: '1' },
  },
});

function number(name: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--${name} takes a number, not '${text}'`);
  return Number(text);
}

function isGroup(name: string): name is Group {
  return (GROUPS as readonly string[]).includes(name);
}

async function main(): Promise<number> {
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed);
  const rounds = number('rounds', values.rounds);
  const core = await createCore();
  const { group } = values;
  const vectors = (programs: readonly Identity[]) =>
    group === 'V' ? rounds * countVectors(core, programs, intervalFor(rounds)) : 0;
  if (group !== undefined && !isGroup(group)) throw new Error(`--group is one of ${GROUPS.join(', ')}`);
  if (values.index !== undefined) {
    if (group === undefined) throw new Error('--index needs --group');
    const programs = identities(seed, group, number('index', values.index), number('count', values.count));
    return finish(await runBatch(core, programs, rounds), vectors(programs));
  }
  const minutes = number('minutes', values.minutes ?? (values.long ? '30' : '1'));
  console.log(`seed ${seed}, ${minutes} minutes`);
  const end = Date.now() + minutes * 60_000;
  let instructions = 0;
  let vectorInstructions = 0;
  for (let from = 0; Date.now() < end; from += PROGRAMS) {
    const outcome = await runGroups(core, seed, from, PROGRAMS, rounds, () => {}, group ? [group] : GROUPS);
    instructions += outcome.instructions;
    vectorInstructions += vectors(identities(seed, 'V', from, PROGRAMS));
    const agreed = agreement(instructions, vectorInstructions);
    console.log(`programs ${from} to ${from + PROGRAMS - 1} of each group: ${agreed}`);
    if (outcome.failures.length > 0) return finish(outcome);
  }
  return 0;
}

function agreement(instructions: number, vectors: number): string {
  return `${instructions} instructions agree${vectors > 0 ? `, about ${vectors} of them for vectors` : ''}`;
}

function finish({ instructions, failures }: Outcome, vectors = 0): number {
  console.log(failures.length > 0 ? failures.join('\n\n') : agreement(instructions, vectors));
  return failures.length > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: Error) => {
  console.error(error.message);
  return 2;
});
