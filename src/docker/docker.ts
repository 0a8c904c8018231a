/**
 * Reads the words of Docker's command line, with Docker's meanings, for `linuxrun`, the page and the API. It
 * only reads words: its callers read files, the environment and the terminal.
 */
import { parseMemory } from '../options/machine-size.mjs';
import { parsePlatform } from '../options/platform.mjs';
import { parsePullPolicy } from '../options/pull-policy.ts';
import { COMMANDS, type CommandHelp, type CommandName } from './commands.ts';
import { checkChange } from './config-change.ts';
import { parseVariable } from './environment.ts';
import { DockerError } from './errors.ts';
import { FlagValues } from './flags.ts';
import {
  checkTmpfs,
  oneOf,
  parseDevice,
  parseFolder,
  parseHostname,
  parseName,
  parseNetwork,
  parsePlace,
  parsePublished,
  parseSeconds,
  parseTail,
  parseVolume,
  roundCpus,
} from './values.ts';
import type {
  AttachWords,
  CpWords,
  DockerWords,
  HelpWords,
  ListWords,
  Place,
  ProcessWords,
  ResumeWords,
  RunWords,
  SuspendWords,
} from './words.ts';

/** `docker container run` and the like mean the same as the commands without the first word. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, CommandName>>>> = {
  container: {
    run: 'run',
    exec: 'exec',
    ls: 'ps',
    list: 'ps',
    ps: 'ps',
    stop: 'stop',
    logs: 'logs',
    cp: 'cp',
    inspect: 'inspect',
    start: 'start',
    rm: 'rm',
    remove: 'rm',
    rename: 'rename',
    prune: 'prune',
    commit: 'commit',
    export: 'export',
  },
  image: {
    pull: 'pull',
    ls: 'images',
    list: 'images',
    rm: 'rmi',
    remove: 'rmi',
    inspect: 'inspect',
    save: 'save',
  },
};

/** Commands that Docker has and that will not be here. */
const ABSENT: Readonly<Record<string, string>> = {
  create: 'a container starts when it is made: use run',
  restart: 'use stop, and then start',
  pause: 'use suspend, which also frees the memory',
  unpause: 'use resume',
  diff: 'use export, whose tar has what the container has changed',
  load: 'run the archive as file://ARCHIVE',
  kill: 'use stop -t 0',
  attach: 'use logs -f to see the output, and exec for a shell',
  build: 'build images with another program, and run them from a registry, a layout or an archive',
  push: 'images are only read',
  login:
    'the account of docker login is used; LINUXRUN_REGISTRY_USER and LINUXRUN_REGISTRY_PASSWORD name another',
  volume: 'a container has no volumes that are kept',
  network: 'a container has one network of its own',
  compose: 'each container is alone in its machine',
};

/**
 * @param words without the name of the program
 * @throws DockerError whose message is for the user
 */
export function parseDocker(words: readonly string[]): DockerWords {
  const [first = 'help', ...rest] = words;
  if (first === '-v' || first === '--version') return { command: 'version', format: undefined };
  if (first === '--help' || first === '-h') return { command: 'help', about: undefined };
  if (first === 'help') return parseHelp(rest);
  if (first.startsWith('-')) throw new DockerError(`unknown flag: ${first}`);
  const group = Object.hasOwn(GROUPS, first) ? GROUPS[first] : undefined;
  if (group === undefined) return parseCommand(first, rest);
  const [verb = '', ...operands] = rest;
  const command = Object.hasOwn(group, verb) ? group[verb] : undefined;
  if (command === undefined) throw unknownCommand(`${first} ${verb}`.trim());
  return parseCommand(command, operands);
}

/** Whether a word is one of the commands. */
export function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

/** The command whose flags a line gives. */
export function commandOfWords([first = '', second = '']: readonly string[]): CommandName | undefined {
  if (isCommand(first)) return first;
  return Object.hasOwn(GROUPS, first) && Object.hasOwn(GROUPS[first] ?? {}, second)
    ? GROUPS[first]?.[second]
    : undefined;
}

function parseHelp([about]: readonly string[]): HelpWords {
  if (about !== undefined && !isCommand(about)) throw unknownCommand(about);
  return { command: 'help', about };
}

function unknownCommand(command: string): DockerError {
  const reason = Object.hasOwn(ABSENT, command) ? ABSENT[command] : undefined;
  if (reason !== undefined) return new DockerError(`there is no command ${command}: ${reason}`, 1);
  return new DockerError(`unknown command: ${command}`, 1);
}

function parseCommand(command: string, words: readonly string[]): DockerWords {
  if (!isCommand(command)) throw unknownCommand(command);
  const { flags, operands, runsProgram }: CommandHelp = COMMANDS[command];
  const help = { name: 'help', help: '' };
  const values = new FlagValues([...flags, help], words, runsProgram ? 'operand' : 'terminator');
  if (values.isOn('help')) return { command: 'help', about: command };
  checkOperands(command, values.operands.length, operands);
  return PARSERS[command](values);
}

function checkOperands(command: string, count: number, { min, max }: CommandHelp['operands']): void {
  if (count >= min && count <= max) return;
  const number = count < min ? min : max;
  const many = number === 0 ? 'no arguments' : `${number} argument${number > 1 ? 's' : ''}`;
  const bound = min === max || number === 0 ? '' : count < min ? 'at least ' : 'at most ';
  throw new DockerError(`'${command}' ${number === 0 ? 'accepts' : 'requires'} ${bound}${many}`, 1);
}

const PARSERS: Readonly<Record<CommandName, (values: FlagValues) => DockerWords>> = {
  run: parseRun,
  exec(values) {
    const [container = '', ...args] = values.operands;
    return { command: 'exec', ...processWords(values), container, args };
  },
  ps: (values) => ({
    command: 'ps',
    ...listWords(values),
    all: values.isOn('all'),
    size: values.isOn('size'),
  }),
  start: (values) => ({ command: 'start', ...attachWords(values), containers: startable(values) }),
  rm: (values) => ({ command: 'rm', containers: values.operands, force: values.isOn('force') }),
  rename(values) {
    const [container = '', newName = ''] = values.operands;
    return { command: 'rename', container, newName: checkedName(newName) };
  },
  prune: (values) => ({ command: 'prune', force: values.isOn('force') }),
  suspend: parseSuspend,
  resume: parseResume,
  commit(values) {
    const [container = '', image = ''] = values.operands;
    return {
      command: 'commit',
      ...{ container, image },
      author: values.value('author'),
      message: values.value('message'),
      changes: values.parseAll('change', checkChange),
    };
  },
  save: (values) => ({
    command: 'save',
    image: values.operands[0] ?? '',
    output: values.value('output'),
  }),
  export: (values) => ({
    command: 'export',
    container: values.operands[0] ?? '',
    output: values.value('output'),
  }),
  import(values) {
    const [file = '', image = ''] = values.operands;
    const name = values.parse('name', parseName);
    if (name === undefined) throw new DockerError('name the new container: import --name NAME FILE IMAGE', 1);
    return { command: 'import', name, file, image };
  },
  stop: (values) => ({
    command: 'stop',
    containers: values.operands,
    seconds: values.parse('time', parseSeconds) ?? values.parse('timeout', parseSeconds),
    signal: values.value('signal'),
  }),
  logs: (values) => ({
    command: 'logs',
    container: values.operands[0] ?? '',
    follow: values.isOn('follow'),
    tail: values.parse('tail', parseTail),
  }),
  cp: parseCp,
  inspect: (values) => ({
    command: 'inspect',
    names: values.operands,
    format: formatOf(values),
    type: values.parse('type', (text) => oneOf(['container', 'image'] as const, text)),
  }),
  pull(values) {
    return {
      command: 'pull',
      image: values.operands[0] ?? '',
      platform: values.parse('platform', parsePlatform),
      quiet: values.isOn('quiet'),
    };
  },
  images: (values) => ({
    command: 'images',
    ...listWords(values),
    image: values.operands[0],
    digests: values.isOn('digests'),
  }),
  rmi: (values) => ({ command: 'rmi', images: values.operands, force: values.isOn('force') }),
  version: (values) => ({ command: 'version', format: formatOf(values) }),
};

function attachWords(values: FlagValues): AttachWords {
  const interactive = values.isOn('interactive');
  return { attach: interactive || values.isOn('attach'), interactive };
}

/** The containers to start, of which there is one if it is attached. */
function startable(values: FlagValues): readonly string[] {
  if (attachWords(values).attach && values.operands.length > 1)
    throw new DockerError('only one container can be attached', 1);
  return values.operands;
}

function parseSuspend(values: FlagValues): SuspendWords {
  const snapshot = values.value('snapshot');
  if (snapshot !== undefined && values.operands.length > 1)
    throw new DockerError('a file holds the session of one container', 1);
  return { command: 'suspend', containers: values.operands, snapshot };
}

function parseResume(values: FlagValues): ResumeWords {
  const snapshot = values.value('snapshot');
  const name = values.parse('name', parseName);
  const containers = startable(values);
  if ((snapshot === undefined) === (containers.length === 0))
    throw new DockerError('resume takes the names of containers, or --snapshot FILE', 1);
  if (snapshot === undefined && name !== undefined)
    throw new DockerError('--name is for the session of a file: use --snapshot FILE', 1);
  return { command: 'resume', ...attachWords(values), containers, snapshot, name };
}

function checkedName(text: string): string {
  try {
    return parseName(text);
  } catch (error) {
    throw new DockerError(`invalid name "${text}": ${(error as Error).message}`, 1);
  }
}

function parseRun(values: FlagValues): RunWords {
  const [image = '', ...args] = values.operands;
  return {
    command: 'run',
    platform: values.parse('platform', parsePlatform),
    ...processWords(values),
    image,
    args: args.length === 0 ? undefined : args,
    entrypoint: values.parse('entrypoint', (text) => (text === '' ? [] : [text])),
    ports: values.parseAll('publish', parsePublished).flat(),
    memoryBytes: values.parse('memory', parseMemory),
    cpus: values.parse('cpus', roundCpus),
    name: values.parse('name', parseName),
    remove: values.isOn('rm'),
    hostname: values.parse('hostname', parseHostname),
    init: values.isOn('init'),
    network: values.parse('network', parseNetwork) ?? values.parse('net', parseNetwork),
    devices: values.parseAll('device', parseDevice),
    readOnly: values.isOn('read-only'),
    tmpfs: values.parseAll('tmpfs', checkTmpfs),
    volumes: values.parseAll('volume', parseVolume),
    pull: values.parse('pull', parsePullPolicy) ?? 'missing',
    quiet: values.isOn('quiet'),
  };
}

function processWords(values: FlagValues): ProcessWords {
  return {
    interactive: values.isOn('interactive'),
    tty: values.isOn('tty'),
    detach: values.isOn('detach'),
    env: values.parseAll('env', parseVariable),
    envFiles: values.parseAll('env-file', String),
    user: values.value('user'),
    currentDir: values.parse('workdir', parseFolder),
  };
}

function formatOf(values: FlagValues): string | undefined {
  return values.value('format') ?? (values.isOn('json') ? 'json' : undefined);
}

function listWords(values: FlagValues): ListWords {
  return {
    quiet: values.isOn('quiet'),
    noTrunc: values.isOn('no-trunc'),
    format: formatOf(values),
  };
}

function parseCp(values: FlagValues): CpWords {
  const [from, to] = values.operands.map(parsePlace) as [Place, Place];
  if (values.operands.includes('-'))
    throw new DockerError('tar streams are not supported: copy a file or a folder', 1);
  if (from.container !== undefined && to.container !== undefined)
    throw new DockerError('copying between containers is not supported', 1);
  if (from.container === undefined && to.container === undefined)
    throw new DockerError('must specify at least one container source', 1);
  return { command: 'cp', from, to };
}
