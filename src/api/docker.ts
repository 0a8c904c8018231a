/** `new Command('docker')`: Docker's words, which the interface itself carries out. */

import type { ContainerInfo } from '../docker/containers.ts';
import { parseDocker } from '../docker/docker.ts';
import { completeVariables, parseEnvFile } from '../docker/environment.ts';
import { DockerError } from '../docker/errors.ts';
import { helpOf, helpOfAll } from '../docker/help.ts';
import { inspect, type Report } from '../docker/inspect.ts';
import { nameIsTaken, randomId } from '../docker/names.ts';
import type { DockerWords, ExecWords, LogsWords, RunWords, StartWords, StopWords } from '../docker/words.ts';
import { toRecord } from '../options/assignments.mjs';
import { parseSignal } from '../options/signals.ts';
import { type BuiltinStreams, print, startBuiltin } from './builtin.ts';
import type { Child, Signal, StartedProcess } from './child.ts';
import { Container } from './container.ts';
import { detailsOf, findStopped, hexId } from './container-info.ts';
import {
  addContainer,
  findContainer,
  freeName,
  inspectContainer,
  isRunning,
  keepOutput,
  listContainers,
  takeName,
} from './docker-containers.ts';
import { describeImage, listImages, removeImages } from './docker-images.ts';
import {
  archiveOf,
  commitContainer,
  pruneContainers,
  removeContainers,
  renameContainer,
} from './docker-kept.ts';
import { emulationNotice } from './emulation-notice.ts';
import { host } from './host.ts';
import * as images from './images.ts';
import * as containers from './kept-containers.ts';
import type { StartedContainer } from './started-container.ts';
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
    case 'start':
      return startAgain(words, streams);
    case 'stop':
      return stop(words, streams);
    case 'rm':
      return report(await removeContainers(words), streams);
    case 'rename':
      await renameContainer(words);
      return 0;
    case 'prune':
      await print(stdout, await pruneContainers(words));
      return 0;
    case 'commit':
      await print(stdout, `${await commitContainer(words)}\n`);
      return 0;
    case 'export':
    case 'save':
      await writeAll(await archiveOf(words), stdout);
      return 0;
    case 'logs':
      return logs(words, streams);
    case 'pull': {
      const { reference, digest } = await images.pull(words.image, {
        platform: words.platform,
        signal: command.signal,
      });
      await print(stdout, words.quiet ? `${reference}\n` : `Digest: ${digest}\n${reference}\n`);
      return 0;
    }
    case 'rmi':
      return report(await removeImages(words), streams);
    case 'ps':
      await print(stdout, await listContainers(words));
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
  const env = await variablesOf(words, command);
  return begin(words, streams, async (name, abort) => {
    const signal = AbortSignal.any([abort, ...signalsOf(command)]);
    const builder = containerOf(words, command, signal).envs(toRecord(env));
    if (words.name !== undefined && !words.remove) builder.name(name);
    else if (words.name !== undefined && (await containers.get(name))) throw nameIsTaken(name);
    return builder.start();
  });
}

/** Starts kept containers: in the background, or one whose output is that of the command. */
async function startAgain(words: StartWords, streams: BuiltinStreams): Promise<number> {
  for (const text of words.containers) {
    if (isRunning(text)) {
      await print(streams.stdout, `${text}\n`);
      continue;
    }
    const { name, image } = await findStopped(text);
    const { attach, interactive } = words;
    const how = { name, image, interactive, detach: !attach, shown: text };
    const status = await begin(how, streams, (name, signal) => containers.startKept(name, { signal }));
    if (attach) return status;
  }
  return 0;
}

/** How a container begins. */
interface Beginning extends Pick<RunWords, 'name' | 'image' | 'interactive' | 'detach'> {
  /** What is printed when it runs in the background; its ID if it is undefined. */
  readonly shown?: string;
}

/** Starts a container, and shows its output unless it is detached; returns its status. */
async function begin(
  how: Beginning,
  streams: BuiltinStreams,
  start: (name: string, signal: AbortSignal) => Promise<StartedContainer>,
): Promise<number> {
  const name = takeName(how.name);
  const abort = new AbortController();
  streams.onSignal((signal) => abort.abort(new Interrupted(signal)));
  try {
    const created = Date.now();
    const container = await start(name, abort.signal);
    const notice = emulationNotice(container.platform);
    if (notice) await complain(streams, notice);
    const started = (await container.started) ? Date.now() : undefined;
    const info = infoOf(container, {
      name,
      created,
      started,
      image: how.image,
      interactive: how.interactive,
    });
    addContainer({ info, container, log: how.detach ? keepOutput(container) : undefined });
    if (!how.detach) {
      const status = await attach(container, how, streams);
      await container[Symbol.asyncDispose]();
      return status;
    }
    await print(streams.stdout, `${how.shown ?? info.id}\n`);
    return 0;
  } catch (error) {
    freeName(name);
    if (error instanceof Interrupted) return 128 + error.signal;
    throw error;
  }
}

function infoOf(
  { launch, image, kept, published, currentDir }: StartedContainer,
  own: Pick<ContainerInfo, 'name' | 'created' | 'started' | 'image' | 'interactive'>,
): ContainerInfo {
  return {
    ...detailsOf(launch, image.config),
    ...own,
    id: kept ? hexId(kept.container.record) : randomId(),
    imageDigest: image.digest,
    pid: 0,
    ports: published,
    currentDir,
    isKept: kept !== undefined,
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
  if (words.platform !== undefined) container.platform(words.platform);
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
  for (const { path, source, readOnly } of words.volumes) container.mount(path, source, { readOnly });
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
  { interactive }: Pick<RunWords, 'interactive'>,
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

async function writeAll(bytes: AsyncIterable<Uint8Array>, stream: WritableStream<Uint8Array>): Promise<void> {
  const writer = stream.getWriter();
  try {
    for await (const part of bytes) await writer.write(part);
  } finally {
    writer.releaseLock();
  }
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
