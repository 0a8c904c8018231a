import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseAssignments } from '../container/assignments.ts';
import { OptionError } from '../container/errors.ts';
import { checkDiskSize, parseSize } from '../container/sizes.ts';
import { parseSwitch } from '../container/switch.ts';
import { splitWords } from '../container/words.ts';
import type { JitMode } from '../machine/machine.ts';
import { planMemory } from '../machine/memory.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import { parseJit } from './options.ts';

export const HELP = `usage: linuxrun [--init] [--jit hot|off|all] [--jit-stats] [--help]

Runs a container image on an emulated RISC-V machine. Standard input, output and error are the container's; on a
terminal it gets a terminal. Environment variables say what to run:

  LINUXRUN_IMAGE       [docker://]NAME[:TAG][@DIGEST]: from a registry (default: Docker Hub)
                       oci://FOLDER[:TAG]: from an OCI image layout
                       file://ARCHIVE[:NAME]: from a tar of docker save, or an OCI archive
                       (default: the hello-world in public/images, beside busybox)
  LINUXRUN_ENTRYPOINT  the program to run instead of the image's, with arguments, quoted as in a shell
  LINUXRUN_ARGS        the arguments instead of the image's, quoted as in a shell
  LINUXRUN_ENV         K1=v1,K2=v2: environment variables; a comma within a value is written \\,
  LINUXRUN_USER        USER[:GROUP], names or numbers, instead of the image's
  LINUXRUN_WORKDIR     the working directory instead of the image's
  LINUXRUN_MEMORY      the machine's memory, such as 512M or 2G (default: 512M)
  LINUXRUN_CPUS        the machine's processors, 1 to 8 (default: 1)
  LINUXRUN_DISK        limit of the container's writes, which are in memory and gone when it ends (default: 1G)
  LINUXRUN_INIT        1: like --init
  LINUXRUN_REGISTRY_USER, LINUXRUN_REGISTRY_PASSWORD
                       the account at the registry, for private images

  --init               puts a small init before the program, which reaps orphans, and with which signals such as
                       Ctrl-C also end a program that does not handle them
  --jit hot|off|all    compiles hot code, no code, or all code to WebAssembly (default: hot)
  --jit-stats          prints the compiler's statistics on standard error

On a terminal, Ctrl-] three times within a second ends the machine, also when the program ignores Ctrl-C.
Signals are passed on to the container. 10 seconds after SIGTERM, or at the second SIGINT or SIGTERM, it is killed. It
ends within 2 seconds when its terminal is closed, or when it writes output that nobody reads any more.

The exit status is the container's: 128 + n after signal n, 127 when the program is not found, 126 when it cannot be
run, and 125 when linuxrun itself fails.
`;

export interface RunFlags {
  readonly help: boolean;
  readonly init: boolean;
  readonly jit: JitMode;
  readonly jitStats: boolean;
}

/** @throws OptionError */
export function readFlags(args: string[]): RunFlags {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        init: { type: 'boolean', default: false },
        jit: { type: 'string', default: 'hot' },
        'jit-stats': { type: 'boolean', default: false },
      },
    });
    const { help, init, jit, 'jit-stats': jitStats } = values;
    return { help, init, jit: parseJit(jit), jitStats };
  } catch (error) {
    throw new OptionError(`${(error as Error).message}; see linuxrun --help`);
  }
}

export interface RunOptions {
  readonly image: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly env: readonly string[];
  readonly user: string | undefined;
  readonly workingDir: string | undefined;
  readonly init: boolean;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly jit?: JitMode;
  readonly diskBytes: number;
  readonly credentials: Credentials | undefined;
}

/**
 * Reads the LINUXRUN_ variables; an empty one counts as not set.
 * @param publicFolder where the demo images are
 * @throws OptionError
 */
export function readOptions(env: NodeJS.ProcessEnv, publicFolder: string): RunOptions {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = env[`LINUXRUN_${name}`];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      throw new OptionError(`LINUXRUN_${name}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const text = (name: string) => read(name, String);
  const cpus = read('CPUS', parseCount) ?? 1;
  const username = text('REGISTRY_USER');
  return {
    image: text('IMAGE') ?? demoImage(publicFolder),
    entrypoint: read('ENTRYPOINT', splitWords),
    args: read('ARGS', splitWords),
    env: read('ENV', parseAssignments) ?? [],
    user: text('USER'),
    workingDir: text('WORKDIR'),
    init: read('INIT', parseSwitch) ?? false,
    memoryBytes: read('MEMORY', (size) => checkMemory(cpus, parseSize(size))) ?? parseSize('512M'),
    cpus,
    diskBytes: read('DISK', (size) => checkDisk(parseSize(size))) ?? parseSize('1G'),
    credentials: username === undefined ? undefined : { username, password: text('REGISTRY_PASSWORD') ?? '' },
  };
}

function demoImage(publicFolder: string): string {
  const path = join(publicFolder, 'images').replace(/[%:@]/g, encodeURIComponent);
  return `oci://${path}:hello-world`;
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new OptionError(`"${text}" is not a number`);
  planMemory(Number(text), parseSize('512M'));
  return Number(text);
}

function checkDisk(bytes: number): number {
  checkDiskSize(bytes);
  return bytes;
}

function checkMemory(cpus: number, bytes: number): number {
  planMemory(cpus, bytes);
  return bytes;
}
