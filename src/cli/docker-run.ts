/** `linuxrun run`. */
import { readFile } from 'node:fs/promises';
import { completeVariables, parseEnvFile } from '../docker/environment.ts';
import { DockerError } from '../docker/errors.ts';
import { nameIsTaken } from '../docker/names.ts';
import type { RunWords } from '../docker/words.ts';
import { CommandError, STATUS_FAILURE } from './errors.ts';
import { OwningWitness } from './owning-witness.ts';
import { PUBLIC } from './program.ts';
import { type Input, runContainer } from './run-container.ts';
import { type RunOptions, readOptions } from './run-options.mjs';
import { terminalOptions } from './terminal.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs a container as the words say, until it ends; returns its status.
 * @param isOwner whether this is the process in the background
 */
export async function dockerRun(words: RunWords, isOwner: boolean): Promise<number> {
  const { tty, interactive } = words;
  if (tty && interactive && !isOwner && !process.stdin.isTTY)
    throw new CommandError('the input device is not a TTY');
  const options = await optionsOf(words, process.env);
  if (words.remove && words.name !== undefined) await requireFree(words.name);
  return runContainer({
    options: { ...options, jit: 'hot' },
    name: keptNameOf(words, options),
    memoryOption: words.memoryBytes === undefined ? 'LINUXRUN_MEMORY' : '-m',
    terminal: tty ? terminalOptions() : undefined,
    input: inputOf(words, isOwner),
    isAttached: !isOwner,
    policy: words.pull,
    showsProgress: !words.quiet,
    jitStats: false,
    witness: new OwningWitness({
      name: words.name ?? options.name,
      image: words.image,
      interactive,
      isInBackground: isOwner,
    }),
  });
}

/** A container that is not kept has no name of one that is. */
async function requireFree(name: string): Promise<void> {
  const { isKept } = await import('./kept.ts');
  if (await isKept(name)) throw nameIsTaken(name);
}

/** The name under which the files of the container are kept; undefined if they are not. */
function keptNameOf({ name, remove }: RunWords, options: RunOptions): string | undefined {
  return remove ? undefined : (name ?? options.name);
}

function inputOf({ tty, interactive }: RunWords, isOwner: boolean): Input {
  if (!interactive) return 'closed';
  if (isOwner) return 'open';
  return tty ? 'keyboard' : 'bytes';
}

/** The options of the words, and those of the LINUXRUN_ variables for what the words leave open. */
async function optionsOf(words: RunWords, environment: Environment): Promise<RunOptions> {
  const network = words.network && { LINUXRUN_NETWORK: words.network === 'none' ? 'none' : '' };
  const given = readOptions({ ...environment, ...network }, PUBLIC);
  return {
    ...given,
    image: words.image,
    platform: words.platform ?? given.platform,
    entrypoint: words.entrypoint ?? given.entrypoint,
    args: words.args ?? given.args,
    env: [...given.env, ...(await variablesOf(words, environment))],
    user: words.user ?? given.user,
    currentDir: words.currentDir ?? given.currentDir,
    hostname: words.hostname,
    ports: [...given.ports, ...words.ports],
    init: words.init || given.init,
    devices: [...given.devices, ...words.devices],
    memoryBytes: words.memoryBytes ?? given.memoryBytes,
    cpus: words.cpus ?? given.cpus,
    readOnly: words.readOnly,
    tmpfs: words.tmpfs,
    mounts: [...given.mounts, ...words.volumes],
  };
}

/** The variables of the files, then the others, completed from the environment. */
export async function variablesOf(
  { env, envFiles }: Pick<RunWords, 'env' | 'envFiles'>,
  environment: Environment,
): Promise<string[]> {
  const variables: string[] = [];
  for (const path of envFiles) {
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new DockerError(`cannot read the variables in ${path}: ${cause.code}`, STATUS_FAILURE, { cause });
    });
    variables.push(...parseEnvFile(text, path));
  }
  return completeVariables([...variables, ...env], environment);
}
