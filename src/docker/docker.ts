/**
 * Reads the words of Docker's command line, with Docker's meanings, for `linuxrun`, the page and the API. It
 * only reads words: its callers read files, the environment and the terminal.
 */
import { checkHostname } from '../options/check.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { checkDevices } from '../options/devices.mjs';
import { parseCpus, parseMemory } from '../options/machine-size.mjs';
import { type PublishedPort, parsePort } from '../options/published-ports.mjs';
import { type PullPolicy, parsePullPolicy } from '../options/pull-policy.ts';
import { parseTmpfs } from '../options/tmpfs.mjs';
import { COMMANDS, type CommandHelp, type CommandName } from './commands.ts';
import { checkChange } from './config-change.ts';
import { parseVariable } from './environment.ts';
import { DockerError } from './errors.ts';
import { FlagValues, nameOf } from './flags.ts';

export { completeVariables, parseEnvFile } from './environment.ts';
export { DockerError } from './errors.ts';

/** What `run` and `exec` have in common. */
interface ProcessWords {
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly detach: boolean;
  /** `NAME=VALUE`, or `NAME` of the surrounding environment. They replace the variables of the files. */
  readonly env: readonly string[];
  readonly envFiles: readonly string[];
  readonly user: string | undefined;
  readonly currentDir: string | undefined;
}

export interface RunWords extends ProcessWords {
  readonly command: 'run';
  readonly image: string;
  /** Undefined for the image's own. */
  readonly entrypoint: readonly string[] | undefined;
  /** Undefined for the image's own. */
  readonly args: readonly string[] | undefined;
  readonly ports: readonly PublishedPort[];
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly name: string | undefined;
  /** Whether nothing is kept, even of a container with a name. */
  readonly remove: boolean;
  readonly hostname: string | undefined;
  readonly init: boolean;
  readonly network: 'none' | 'bridge' | undefined;
  readonly devices: readonly string[];
  readonly readOnly: boolean;
  readonly tmpfs: readonly string[];
  readonly pull: PullPolicy;
  readonly quiet: boolean;
}

export interface ExecWords extends ProcessWords {
  readonly command: 'exec';
  readonly container: string;
  readonly args: readonly string[];
}

/** How a list is shown. */
interface ListWords {
  readonly quiet: boolean;
  readonly noTrunc: boolean;
  readonly format: string | undefined;
}

export interface PsWords extends ListWords {
  readonly command: 'ps';
  /** Whether kept containers that do not run are listed, too. */
  readonly all: boolean;
  readonly size: boolean;
}

/** How a container that starts again is connected. */
interface AttachWords {
  readonly attach: boolean;
  readonly interactive: boolean;
}

export interface StartWords extends AttachWords {
  readonly command: 'start';
  readonly containers: readonly string[];
}

export interface RmWords {
  readonly command: 'rm';
  readonly containers: readonly string[];
  readonly force: boolean;
}

export interface RenameWords {
  readonly command: 'rename';
  readonly container: string;
  readonly newName: string;
}

export interface PruneWords {
  readonly command: 'prune';
  readonly force: boolean;
}

export interface SuspendWords {
  readonly command: 'suspend';
  readonly containers: readonly string[];
  /** The file for the session. */
  readonly snapshot: string | undefined;
}

export interface ResumeWords extends AttachWords {
  readonly command: 'resume';
  readonly containers: readonly string[];
  /** The file with the session. */
  readonly snapshot: string | undefined;
  /** The name for the session of a file. */
  readonly name: string | undefined;
}

export interface CommitWords {
  readonly command: 'commit';
  readonly container: string;
  readonly image: string;
  readonly author: string | undefined;
  readonly message: string | undefined;
  /** Instructions of a Dockerfile that change the configuration. */
  readonly changes: readonly string[];
}

/** Writes an image to a file. */
export interface SaveWords {
  readonly command: 'save';
  readonly image: string;
  /** Undefined for standard output. */
  readonly output: string | undefined;
}

/** Writes what a container has changed to a file. */
export interface ExportWords {
  readonly command: 'export';
  readonly container: string;
  /** Undefined for standard output. */
  readonly output: string | undefined;
}

export interface ImportWords {
  readonly command: 'import';
  readonly name: string;
  /** `-` for standard input. */
  readonly file: string;
  readonly image: string;
}

export interface StopWords {
  readonly command: 'stop';
  readonly containers: readonly string[];
  readonly seconds: number | undefined;
  readonly signal: string | undefined;
}

export interface LogsWords {
  readonly command: 'logs';
  readonly container: string;
  readonly follow: boolean;
  /** The number of lines; undefined for all. */
  readonly tail: number | undefined;
}

/** A place of `cp`: in a container, or on this machine if there is none. */
export interface Place {
  readonly container: string | undefined;
  readonly path: string;
}

export interface CpWords {
  readonly command: 'cp';
  readonly from: Place;
  readonly to: Place;
}

export interface InspectWords {
  readonly command: 'inspect';
  readonly names: readonly string[];
  readonly format: string | undefined;
  readonly type: 'container' | 'image' | undefined;
}

export interface PullWords {
  readonly command: 'pull';
  readonly image: string;
  readonly quiet: boolean;
}

export interface ImagesWords extends ListWords {
  readonly command: 'images';
  readonly image: string | undefined;
  readonly digests: boolean;
}

export interface RmiWords {
  readonly command: 'rmi';
  readonly images: readonly string[];
  readonly force: boolean;
}

export interface VersionWords {
  readonly command: 'version';
  readonly format: string | undefined;
}

/** Asks for the help of one command, or of all. */
export interface HelpWords {
  readonly command: 'help';
  readonly about: CommandName | undefined;
}

export type DockerWords =
  | RunWords
  | ExecWords
  | StartWords
  | RmWords
  | RenameWords
  | PruneWords
  | SuspendWords
  | ResumeWords
  | CommitWords
  | SaveWords
  | ExportWords
  | ImportWords
  | PsWords
  | StopWords
  | LogsWords
  | CpWords
  | InspectWords
  | PullWords
  | ImagesWords
  | RmiWords
  | VersionWords
  | HelpWords;

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
    values.parse('platform', checkPlatform);
    return { command: 'pull', image: values.operands[0] ?? '', quiet: values.isOn('quiet') };
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
  values.parse('platform', checkPlatform);
  return {
    command: 'run',
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

/** `CONTAINER:PATH`. A path of this machine with a colon begins with `/` or `.`. */
function parsePlace(text: string): Place {
  const at = text.indexOf(':');
  const isLocal = at <= 0 || /^[./]/.test(text) || /^[a-z]:[\\/]/i.test(text);
  return isLocal
    ? { container: undefined, path: text }
    : { container: text.slice(0, at), path: text.slice(at + 1) };
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

/** A machine has whole processors. 0 is Docker's default. */
function roundCpus(text: string): number | undefined {
  if (!/^\d*\.?\d+$/.test(text)) throw new Error(`"${text}" is not a number`);
  return Number(text) === 0 ? undefined : parseCpus(String(Math.ceil(Number(text))));
}

/** Like `LINUXRUN_PORTS`. As in Docker, without a port of this machine any free one is taken. */
function parsePublished(text: string): PublishedPort[] {
  return parsePort(text.replace(/^(?=\d+(?:\/\w+)?$)/, '0:').replace(/^(.+?)::(?=\d+(?:\/\w+)?$)/, '$1:0:'));
}

/** @throws OptionError */
function parseName(text: string): string {
  checkContainerName(text);
  return text;
}

function parseHostname(text: string): string {
  checkHostname(text);
  return text;
}

function parseNetwork(text: string): 'none' | 'bridge' {
  if (text === 'none') return 'none';
  if (text === 'bridge' || text === 'default') return 'bridge';
  if (text === 'host')
    throw new Error(
      'a container has a kernel of its own and cannot share the network of this machine; use -p',
    );
  throw new Error('the networks are none and bridge');
}

/** Docker's `PATH:PATH:PERMISSIONS`, whose path in the container is the same here. */
function parseDevice(text: string): string {
  const [device = '', inside = device, permissions = 'rwm'] = text.split(':');
  if (!/^[rwm]{1,3}$/.test(permissions) || inside !== device)
    throw new Error('a device has its own name in the container, and all permissions');
  checkDevices([device]);
  return device;
}

function parseFolder(text: string): string {
  if (!text.startsWith('/'))
    throw new Error(`the working directory '${text}' is invalid, it needs to be an absolute path`);
  return text;
}

function checkTmpfs(text: string): string {
  parseTmpfs(text);
  return text;
}

function checkPlatform(text: string): void {
  if (!/^(?:linux\/)?riscv64$/.test(text))
    throw new Error('the machine runs programs for linux/riscv64 only');
}

function parseSeconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error('it is not a number of seconds');
  return Number(text);
}

/** As in Docker, anything else than a number means all lines. */
function parseTail(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function oneOf<T extends string>(values: readonly T[], text: string): T {
  const value = values.find((each) => each === text);
  if (value === undefined) throw new Error(`it must be one of ${values.join(', ')}`);
  return value;
}

/** The help of all commands. */
export function helpOfAll(program: string): string {
  const commands = Object.entries(COMMANDS).map(([name, { summary }]): [string, string] => [name, summary]);
  return [
    `usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Runs Linux containers on an emulated RISC-V machine, with the words of Docker.',
    '',
    ...columns([...commands, ['help', 'show this, or with the name of a command its flags']]),
    '',
  ].join('\n');
}

/** The help of a command. */
export function helpOf(program: string, name: CommandName): string {
  const { usage, summary, flags }: CommandHelp = COMMANDS[name];
  const shown = flags.filter(({ help }) => help !== undefined);
  const lines = columns(
    shown.map((flag) => {
      const written = `${flag.short ? '' : '    '}${nameOf(flag)}`;
      return [flag.value ? `${written} ${flag.value}` : written, flag.help ?? ''];
    }),
  );
  return [`usage: ${program} ${name} ${usage}`, '', `${name}: ${summary}.`, '', ...lines, ''].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
