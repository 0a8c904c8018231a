/** `linuxrun start` and `resume`. */
import { resolve } from 'node:path';
import { findStopped } from '../api/container-info.ts';
import { DockerError } from '../docker/errors.ts';
import type { ResumeWords, StartWords } from '../docker/words.ts';
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

/**
 * Lets suspended containers go on, or the session of a file.
 * @param owner as of `dockerStart`
 */
export async function dockerResume(words: ResumeWords, owner: string | undefined): Promise<number> {
  const { snapshot, name, containers } = words;
  if (snapshot === undefined) {
    for (const text of containers) await requireSuspended(text);
    return dockerStart(words, owner);
  }
  if (owner === undefined || words.attach) return resumeFile(snapshot, words, owner === undefined);
  const named = name === undefined ? [] : ['--name', name];
  return startInBackground([owner, 'resume', '--snapshot', resolve(snapshot), ...named]);
}

async function requireSuspended(text: string): Promise<void> {
  const { running, stopped } = await findAny(await Sockets.open(process.env), text);
  if (running || !stopped.end?.isSuspended)
    throw new DockerError(`the container "${text}" is not suspended: use start for one that is stopped`, 1);
}

function resumeFile(
  snapshot: string,
  { name, interactive }: ResumeWords,
  isInBackground: boolean,
): Promise<number> {
  return runContainer({
    options: { ...readOptions(process.env, PUBLIC), jit: 'hot' },
    name,
    snapshot,
    memoryOption: 'LINUXRUN_MEMORY',
    terminal: isInBackground ? undefined : terminalOptions(),
    input: isInBackground ? 'open' : interactive ? 'attached' : 'closed',
    isAttached: !isInBackground,
    policy: 'missing',
    showsProgress: true,
    jitStats: false,
    witness: new OwningWitness({ name, image: undefined, interactive: true, isInBackground }),
  });
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
