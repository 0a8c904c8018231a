/** `linuxrun start` and `resume`. */
import { findStopped } from '../api/container-info.ts';
import type { ResumeWords, StartWords } from '../docker/docker.ts';
import { startInBackground } from './detach.ts';
import { findAny, whenStopped } from './kept.ts';
import { OwningWitness } from './owning-witness.ts';
import { PUBLIC, write } from './program.ts';
import { runContainer } from './run-container.ts';
import { readOptions } from './run-options.mjs';
import { Sockets } from './sockets.ts';
import { terminalOptions } from './terminal.ts';

type Words = Pick<StartWords | ResumeWords, 'containers' | 'attach' | 'interactive'>;

/**
 * Starts kept containers: in the background, or one in this process.
 * @param owner the first word of a process in the background; undefined if this is one
 */
export async function dockerStart(words: Words, owner: string | undefined): Promise<number> {
  const [first = ''] = words.containers;
  if (owner === undefined) return startHere(first, words, true);
  if (words.attach) return startHere(first, words, false);
  const sockets = await Sockets.open(process.env);
  let status = 0;
  for (const name of words.containers) {
    const { running, stopped } = await findAny(sockets, name).catch(complain);
    // As in Docker, one that runs is no error.
    if (running) await write(process.stdout, `${name}\n`);
    else if (!stopped || (await startInBackground([owner, 'start', stopped.name], name)) !== 0) status = 1;
  }
  return status;
}

function complain(error: Error): { readonly running?: undefined; readonly stopped?: undefined } {
  process.stderr.write(`linuxrun: ${error.message}\n`);
  return {};
}

async function startHere(text: string, { interactive }: Words, isInBackground: boolean): Promise<number> {
  const { name, image, terminal, cpus, memoryBytes } = await findStopped(text);
  const given = readOptions(process.env, PUBLIC);
  const start = () =>
    runContainer({
      options: { ...given, cpus, memoryBytes, jit: 'hot' },
      name,
      startsAgain: true,
      memoryOption: '-m',
      terminal: terminal ? terminalOptions() : undefined,
      input: inputOf({ terminal, interactive, isInBackground }),
      isAttached: !isInBackground,
      policy: 'missing',
      showsProgress: false,
      jitStats: false,
      witness: new OwningWitness({ name, image, interactive: interactive || terminal, isInBackground }),
    });
  return whenStopped(start);
}

function inputOf({
  terminal,
  interactive,
  isInBackground,
}: {
  readonly terminal: boolean;
  readonly interactive: boolean;
  readonly isInBackground: boolean;
}) {
  if (isInBackground) return terminal ? 'open' : 'closed';
  if (!interactive) return 'closed';
  return terminal ? 'keyboard' : 'bytes';
}
