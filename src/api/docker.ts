/** `new Command('docker')`: Docker's words, which the interface itself carries out. */

import type { ContainerInfo } from '../docker/containers.ts';
import {
  completeVariables,
  DockerError,
  type DockerWords,
  type ExecWords,
  helpOf,
  helpOfAll,
  type LogsWords,
  parseDocker,
  parseEnvFile,
  type RunWords,
  type StopWords,
} from '../docker/docker.ts';
import { inspect, type Report } from '../docker/inspect.ts';
import { randomId } from '../docker/names.ts';
import { toRecord } from '../options/assignments.mjs';
import { commandOf } from '../options/command.ts';
import { parseSignal } from '../options/signals.ts';
import { type BuiltinStreams, print, startBuiltin } from './builtin.ts';
import type { Child, Signal, StartedProcess } from './child.ts';
import { Container, type RunningContainer } from './container.ts';
import {
  addContainer,
  type DockerContainer,
  findContainer,
  freeName,
  inspectContainer,
  keepOutput,
  listContainers,
  takeName,
} from './docker-containers.ts';
import { describeImage, listImages, removeImages } from './docker-images.ts';
import { host } from './host.ts';
import * as images from './images.ts';
import { machineOf } from './machine-settings.ts';
import type { Terminal } from './stdio.ts';

/** Docker's status for its own failures. */
const FAILURE = 125;
const SIZE = { columns: 80, rows: 24 };

export interface DockerCommand {
  readonly words: readonly string[];
  /** The environment of the command, from which `-e NAME` takes a value. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** The size of the terminal that `-t` gives. */
  readonly terminal: Terminal | undefined;
}

export function runDocker(command: DockerCommand): StartedProcess {
  return startBuiltin(async (streams) => {
    try {
      return await carryOut(parseDocker(command.words), command, streams);
    } catch (error) {
      command.signal?.throwIfAborted();
      await complain(streams, error instanceof Error ? error.message : String(error));
      if (error instanceof DockerError) return error.status;
      return command.words[0] === 'run' ? FAILURE : 1;
    }
  });
}

/** Prints what a command has to say; returns its status. */
async function report({ output, problems }: Report, streams: BuiltinStreams): Promise<number> {
  await print(streams.stdout, output);
  for (const problem of problems) await complain(streams, problem);
  return problems.length === 0 ? 0 : 1;
}

function complain({ stderr }: BuiltinStreams, problem: string): Promise<void> {
  return print(stderr, `docker: ${problem}\n`);
}

async function carryOut(
  words: DockerWords,
  command: DockerCommand,
  streams: BuiltinStreams,
): Promise<number> {
  const { stdout } = streams;
  switch (words.command) {
    case 'run':
      return run(words, command, streams);
    case 'exec':
      return exec(words, command, streams);
    case 'stop':
      return stop(words, streams);
    case 'logs':
      return logs(words, streams);
    case 'pull': {
      const { reference, digest } = await images.pull(words.image, { signal: command.signal });
      await print(stdout, words.quiet ? `${reference}\n` : `Digest: ${digest}\n${reference}\n`);
      return 0;
    }
    case 'rmi':
      return report(await removeImages(words), streams);
    case 'ps':
      await print(stdout, listContainers(words));
      return 0;
    case 'images':
      await print(stdout, await listImages(words));
      return 0;
    case 'inspect':
      return report(await inspect(words, { container: inspectContainer, image: describeImage }), streams);
    case 'help':
      await print(stdout, words.about ? helpOf('docker', words.about) : helpOfAll('docker'));
      return 0;
    default:
      throw new DockerError(
        `${words.command} is for the command line, linuxrun: use the interface itself`,
        1,
      );
  }
}

async function run(words: RunWords, command: DockerCommand, streams: BuiltinStreams): Promise<number> {
  const name = takeName(words.name);
  const abort = new AbortController();
  streams.onSignal((signal) => abort.abort(new Interrupted(signal)));
  try {
    const signal = AbortSignal.any([abort.signal, ...signalsOf(command)]);
    const started = await start(name, words, command, signal);
    addContainer(started);
    const { container, info } = started;
    if (!words.detach) {
      const status = await attach(container, words, streams);
      await container[Symbol.asyncDispose]();
      return status;
    }
    await print(streams.stdout, `${info.id}\n`);
    return 0;
  } catch (error) {
    freeName(name);
    if (error instanceof Interrupted) return 128 + error.signal;
    throw error;
  }
}

async function start(
  name: string,
  words: RunWords,
  command: DockerCommand,
  signal: AbortSignal,
): Promise<DockerContainer> {
  const env = await variablesOf(words, command);
  const created = Date.now();
  const container = await containerOf(words, command, signal).envs(toRecord(env)).run();
  try {
    const info = await infoOf(container, words, { name, created, env });
    return { info, container, log: words.detach ? keepOutput(container) : undefined };
  } catch (error) {
    await container[Symbol.asyncDispose]();
    throw error;
  }
}

async function infoOf(
  container: RunningContainer,
  words: RunWords,
  own: Pick<ContainerInfo, 'name' | 'created' | 'env'>,
): Promise<ContainerInfo> {
  const started = (await container.started) ? Date.now() : undefined;
  const { image, init, readOnly, devices, tmpfs, tty: terminal, interactive } = words;
  const { digest, config } = await images.inspect(image, { policy: 'never' });
  const { cpus, memoryBytes } = machineOf({ cpus: words.cpus, memory: words.memoryBytes });
  return {
    ...own,
    ...{ image, init, readOnly, devices, tmpfs, terminal, interactive, cpus, memoryBytes },
    id: randomId(),
    imageDigest: digest,
    command: commandOf(config, words),
    started,
    pid: 0,
    ports: container.published,
    user: words.user ?? config.user,
    currentDir: container.currentDir,
    hostname: words.hostname ?? '',
    network: words.network ?? 'bridge',
    isKept: false,
  };
}

/** A signal has come before there was a container. */
class Interrupted extends Error {
  readonly signal: number;

  constructor(signal: number) {
    super(`ended by signal ${signal}`);
    this.signal = signal;
  }
}

/** A detached container goes on when the command that has started it is aborted. */
function signalsOf({ signal }: DockerCommand): AbortSignal[] {
  return signal ? [signal] : [];
}

function containerOf(words: RunWords, { terminal }: DockerCommand, signal: AbortSignal): Container {
  const container = new Container(words.image)
    .args(words.args ?? [])
    .init(words.init)
    .readOnly(words.readOnly)
    .pull(words.pull)
    .signal(signal);
  if (words.entrypoint !== undefined) container.entrypoint(words.entrypoint);
  if (words.memoryBytes !== undefined) container.memory(words.memoryBytes);
  if (words.cpus !== undefined) container.cpus(words.cpus);
  if (words.user !== undefined) container.user(words.user);
  if (words.currentDir !== undefined) container.currentDir(words.currentDir);
  if (words.hostname !== undefined) container.hostname(words.hostname);
  if (words.network === 'none') container.network('none');
  if (words.tty) container.terminal(terminal ?? SIZE);
  for (const { address, host, container: port } of words.ports)
    container.publish(`${address}:${host}:${port}`);
  for (const device of words.devices) container.device(device);
  for (const mount of words.tmpfs) container.tmpfs(mount);
  return container;
}

async function variablesOf(
  { env, envFiles }: RunWords | ExecWords,
  { env: environment }: DockerCommand,
): Promise<string[]> {
  const files = await Promise.all(
    envFiles.map(async (path) => parseEnvFile(await host().readTextFile(path), path)),
  );
  return completeVariables([...files.flat(), ...env], environment);
}

async function exec(words: ExecWords, command: DockerCommand, streams: BuiltinStreams): Promise<number> {
  const { container } = findContainer(words.container);
  const variables = await variablesOf(words, command);
  const child = container.exec(words.args, {
    env: toRecord(variables),
    user: words.user,
    currentDir: words.currentDir,
    terminal: words.tty ? (command.terminal ?? SIZE) : undefined,
    ...(words.detach
      ? ({ stdin: 'null', stdout: 'null', stderr: 'null' } as const)
      : { signal: command.signal }),
  });
  return words.detach ? 0 : attach(child, words, streams);
}

/** Connects a process with the command's streams until it ends; returns its status. */
async function attach(
  child: Child,
  { interactive }: RunWords | ExecWords,
  streams: BuiltinStreams,
): Promise<number> {
  streams.onSignal((signal) => void child.kill(signal as Signal));
  streams.onResize((columns, rows) => child.resize(columns, rows));
  if (interactive) streams.stdin.pipeTo(child.stdin).catch(() => {});
  else child.stdin.close().catch(() => {});
  const copies = [
    child.stdout.pipeTo(streams.stdout, { preventClose: true }),
    child.stderr.pipeTo(streams.stderr, { preventClose: true }),
  ];
  const [status] = await Promise.all([child.wait(), Promise.allSettled(copies)]);
  return status;
}

async function stop({ containers, seconds, signal }: StopWords, streams: BuiltinStreams): Promise<number> {
  for (const name of containers) {
    const { container } = findContainer(name);
    await container.stop({ seconds, signal: signal === undefined ? undefined : parseSignal(signal) });
    // Its image can be removed then.
    await container[Symbol.asyncDispose]();
    await print(streams.stdout, `${name}\n`);
  }
  return 0;
}

async function logs(words: LogsWords, { stdout, stderr }: BuiltinStreams): Promise<number> {
  const { log } = findContainer(words.container);
  if (!log)
    throw new DockerError(`${words.container} is not detached: its output is that of its own command`, 1);
  const outputs = { 1: stdout.getWriter(), 2: stderr.getWriter() };
  for await (const { stream, bytes } of log.read(words.tail, words.follow))
    await outputs[stream].write(bytes);
  for (const writer of Object.values(outputs)) writer.releaseLock();
  return 0;
}
