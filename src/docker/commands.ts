/** The commands, apart from what they do. */
import { type Flag, flagsOf, idleFlags, refusedFlags } from './flags.ts';
import { RUN_FLAGS } from './run-flags.ts';

export interface CommandHelp {
  /** What follows the command's name. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** The numbers of operands that it takes. */
  readonly operands: { readonly min: number; readonly max: number };
  /** Whether words after the first operand are a program and its arguments, with flags of its own. */
  readonly runsProgram?: boolean;
}

const NO_DETACHING = 'no keys detach';
const NO_FILTER = refusedFlags('pick lines of the output with other programs', '-f, --filter filter');
const JSON_FLAG = { '--json': 'the same as --format json' };
const FORMAT = {
  '--format string': 'a template such as {{.Names}}, with "table " before it for columns; or json',
  ...JSON_FLAG,
};

export const COMMANDS = {
  run: {
    usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
    summary: 'run a command in a new container',
    flags: RUN_FLAGS,
    operands: { min: 1, max: Infinity },
    runsProgram: true,
  },
  exec: {
    usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
    summary: 'run a further command in a running container',
    flags: [
      ...flagsOf({
        '-i, --interactive': 'keep standard input open',
        '-t, --tty': 'give the program a terminal',
        '-d, --detach': 'do not wait for the command',
        '-e, --env list': 'NAME=VALUE: set a variable; NAME alone takes it from this environment',
        '--env-file list': 'read variables from a file',
        '-u, --user string': 'USER[:GROUP]: run as this user',
        '-w, --workdir string': 'work in this folder of the container',
      }),
      ...refusedFlags('a command has the privileges of its container', '--privileged'),
      ...refusedFlags(NO_DETACHING, '--detach-keys string'),
    ],
    operands: { min: 2, max: Infinity },
    runsProgram: true,
  },
  start: {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'start kept containers again, with their files',
    flags: [
      ...flagsOf({
        '-a, --attach': 'show its output, and return its status',
        '-i, --interactive': 'the same, and pass standard input on',
      }),
      ...refusedFlags(NO_DETACHING, '--detach-keys string'),
      ...refusedFlags('containers are resumed from what suspend has saved', '--checkpoint string'),
      ...refusedFlags('containers are resumed from what suspend has saved', '--checkpoint-dir string'),
    ],
    operands: { min: 1, max: Infinity },
  },
  ps: {
    usage: '[OPTIONS]',
    summary: 'list containers',
    flags: [
      ...flagsOf({
        '-a, --all': 'those that are kept, too, not only those that run',
        '-s, --size': 'what each has written',
        '-q, --quiet': 'only the IDs',
        '--no-trunc': 'whole IDs and commands',
        ...FORMAT,
      }),
      ...NO_FILTER,
      ...refusedFlags('the newest come first: use head', '-n, --last int', '-l, --latest'),
    ],
    operands: { min: 0, max: 0 },
  },
  stop: {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'end containers',
    flags: flagsOf({
      '-t, --time int': 'seconds until a container is killed that has not ended (default: 10)',
      '-s, --signal string': "the signal that asks it to end (default: the image's, or SIGTERM)",
    }).concat(idleFlags('--timeout int')),
    operands: { min: 1, max: Infinity },
  },
  rm: {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'remove kept containers with their files',
    flags: [
      ...flagsOf({ '-f, --force': 'end those that run; one that is not there is no error' }),
      ...idleFlags('-v, --volumes'),
      ...refusedFlags('a container has no links', '-l, --link'),
    ],
    operands: { min: 1, max: Infinity },
  },
  rename: {
    usage: 'CONTAINER NEW_NAME',
    summary: 'rename a kept container that does not run',
    flags: [],
    operands: { min: 2, max: 2 },
  },
  prune: {
    usage: '[OPTIONS]',
    summary: 'remove all kept containers that do not run',
    flags: [
      ...flagsOf({ '-f, --force': 'do not ask' }),
      ...refusedFlags('name containers in rm', '--filter filter'),
    ],
    operands: { min: 0, max: 0 },
  },
  suspend: {
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    summary: 'save the memory of containers and end them, so that they go on later',
    flags: flagsOf({
      '--snapshot file': 'save the session in this file, and not with the container',
    }),
    operands: { min: 1, max: Infinity },
  },
  resume: {
    usage: '[OPTIONS] [CONTAINER...]',
    summary: 'let suspended containers go on',
    flags: flagsOf({
      '-a, --attach': 'show its output, and return its status',
      '-i, --interactive': 'the same, and pass standard input on',
      '--snapshot file': 'go on with the session in this file',
      '--name string': 'keep the session of the file under this name',
    }),
    operands: { min: 0, max: Infinity },
  },
  commit: {
    usage: '[OPTIONS] CONTAINER IMAGE',
    summary: "make an image of a container's files",
    flags: [
      ...flagsOf({
        '-a, --author string': 'who has made it',
        '-m, --message string': 'why',
        '-c, --change list':
          'CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR, as in a Dockerfile',
      }),
      ...idleFlags('-p, --pause'),
    ],
    operands: { min: 2, max: 2 },
  },
  save: {
    usage: '[OPTIONS] IMAGE',
    summary: 'write an image to an archive, which Docker and other programs read',
    flags: [
      ...flagsOf({ '-o, --output file': 'write to this file, not to standard output' }),
      ...idleFlags('--platform string'),
    ],
    operands: { min: 1, max: 1 },
  },
  export: {
    usage: '[OPTIONS] CONTAINER',
    summary: 'write the files that a container has changed to a tar, as a layer of its image',
    flags: flagsOf({ '-o, --output file': 'write to this file, not to standard output' }),
    operands: { min: 1, max: 1 },
  },
  import: {
    usage: '[OPTIONS] --name NAME FILE IMAGE',
    summary: 'keep a new container of an image with the changed files of a tar',
    flags: [
      ...flagsOf({ '--name string': 'the name of the container' }),
      ...refusedFlags('commit has flags for images', '-c, --change list', '-m, --message string'),
      ...idleFlags('--platform string'),
    ],
    operands: { min: 2, max: 2 },
  },
  logs: {
    usage: '[OPTIONS] CONTAINER',
    summary: 'show the output of a running container',
    flags: [
      ...flagsOf({
        '-f, --follow': 'go on until the container ends',
        '-n, --tail string': 'only this number of lines from the end',
      }),
      ...refusedFlags('no times are kept', '-t, --timestamps', '--since string', '--until string'),
      ...refusedFlags('the output is all that there is', '--details'),
    ],
    operands: { min: 1, max: 1 },
  },
  cp: {
    usage: '[OPTIONS] CONTAINER:PATH PATH, or PATH CONTAINER:PATH',
    summary: 'copy files out of a container or into it',
    flags: [
      ...idleFlags('-q, --quiet'),
      ...refusedFlags('files that are copied into a container belong to root', '-a, --archive'),
      ...refusedFlags('links are copied as the files that they lead to', '-L, --follow-link'),
    ],
    operands: { min: 2, max: 2 },
  },
  inspect: {
    usage: '[OPTIONS] NAME [NAME...]',
    summary: 'show everything about containers and images, as JSON',
    flags: [
      ...flagsOf({
        '-f, --format string': 'a template such as {{.State.Status}}, or json',
        ...JSON_FLAG,
        '--type string': 'container or image',
      }),
      ...refusedFlags('ps has sizes', '-s, --size'),
    ],
    operands: { min: 1, max: Infinity },
  },
  pull: {
    usage: '[OPTIONS] IMAGE',
    summary: 'fetch an image from its registry',
    flags: [
      ...flagsOf({
        '-q, --quiet': 'show no progress',
        '--platform string':
          'linux/riscv64, linux/arm64 or linux/amd64: which image to fetch (default: the first that there is)',
      }),
      ...idleFlags('--disable-content-trust'),
      ...refusedFlags('name each tag', '-a, --all-tags'),
    ],
    operands: { min: 1, max: 1 },
  },
  images: {
    usage: '[OPTIONS] [IMAGE]',
    summary: 'list the images that are kept on this machine',
    flags: [
      ...flagsOf({
        '-a, --all': 'the same, because no others are kept',
        '-q, --quiet': 'only the IDs',
        '--no-trunc': 'whole IDs',
        '--digests': 'digests, too',
        ...FORMAT,
      }),
      ...NO_FILTER,
      ...refusedFlags('images are listed one by one', '--tree'),
    ],
    operands: { min: 0, max: 1 },
  },
  rmi: {
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    summary: 'remove images from this machine',
    flags: flagsOf({
      '-f, --force': 'an image that is not there is no error',
    }).concat(idleFlags('--no-prune')),
    operands: { min: 1, max: Infinity },
  },
  version: {
    usage: '[OPTIONS]',
    summary: 'show the version',
    flags: flagsOf({
      '-f, --format string': 'a template such as {{.Client.Version}}, or json',
      ...JSON_FLAG,
    }),
    operands: { min: 0, max: 0 },
  },
} as const satisfies Record<string, CommandHelp>;

export type CommandName = keyof typeof COMMANDS;
