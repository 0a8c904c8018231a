/** The containers that `docker` commands of this process have started. */
import { type ContainerInfo, describeContainer, formatContainers } from '../docker/containers.ts';
import { NotFoundError } from '../docker/errors.ts';
import { findById } from '../docker/find.ts';
import type { Row } from '../docker/format.ts';
import { nameIsTaken, randomName } from '../docker/names.ts';
import { OutputLog, type OutputStream } from '../docker/output-log.ts';
import type { PsWords } from '../docker/words.ts';
import { chunks } from '../streams/chunks.ts';
import { findStopped, stoppedContainers } from './container-info.ts';
import type { RunningContainer } from './running-container.ts';

export interface DockerContainer {
  info: ContainerInfo;
  readonly container: RunningContainer;
  /** Of a detached container. */
  readonly log: OutputLog | undefined;
}

/** By name; undefined while one is starting. */
const containers = new Map<string, DockerContainer | undefined>();

function runningContainers(): DockerContainer[] {
  return [...containers.values()].filter((container) => container !== undefined);
}

/** Takes a name, or a random one. @throws DockerError if the name is taken */
export function takeName(wanted: string | undefined): string {
  let name = wanted ?? randomName();
  // There are far more names than containers that fit in memory.
  while (wanted === undefined && containers.has(name)) name = randomName();
  if (containers.has(name)) throw nameIsTaken(name);
  containers.set(name, undefined);
  return name;
}

/** The container did not start. */
export function freeName(name: string): void {
  containers.delete(name);
}

/** Makes a container reachable until it ends. */
export function addContainer(container: DockerContainer): void {
  containers.set(container.info.name, container);
  // It may have ended already.
  const forget = () => void containers.delete(container.info.name);
  container.container.wait().then(forget, forget);
}

/** @throws OptionError, DockerError or ContainerExistsError if the name is taken, StorageError */
export async function renameContainer(running: DockerContainer, name: string): Promise<void> {
  const { info, container } = running;
  if (name === info.name) return;
  takeName(name);
  try {
    if (info.isKept) await container.rename(name);
  } catch (error) {
    freeName(name);
    throw error;
  }
  freeName(info.name);
  running.info = { ...info, name };
  containers.set(name, running);
}

/** @param text a name, an ID, or the beginning of one @throws DockerError */
export function findContainer(text: string): DockerContainer {
  return containers.get(text) ?? findById('container', runningContainers(), text, ({ info }) => info.id);
}

/** Whether the container of a name, or of the beginning of an ID, runs here. @throws DockerError */
export function isRunning(text: string): boolean {
  try {
    return findContainer(text) !== undefined;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/** @throws DockerError if the template is wrong; StorageError */
export async function listContainers(words: PsWords): Promise<string> {
  const running = await Promise.all(
    runningContainers().map(async ({ info, container }) => ({
      ...info,
      size: words.size ? await sizeOf(container) : undefined,
    })),
  );
  const stopped = words.all ? await stoppedContainers(words.size) : [];
  return formatContainers([...running, ...stopped], words);
}

/** One that ends meanwhile has no size. */
async function sizeOf(container: RunningContainer): Promise<number | undefined> {
  return container.stats().then(
    ({ disk }) => disk.usedBytes,
    () => undefined,
  );
}

/** @throws DockerError */
export async function inspectContainer(text: string): Promise<Row> {
  return describeContainer(isRunning(text) ? findContainer(text).info : await findStopped(text));
}

/** Keeps the latest output of a container. */
export function keepOutput({ stdout, stderr }: RunningContainer): OutputLog {
  const log = new OutputLog();
  const keep = async (stream: OutputStream, output: ReadableStream<Uint8Array>) => {
    for await (const bytes of chunks(output)) log.append(stream, bytes);
  };
  void Promise.allSettled([keep(1, stdout), keep(2, stderr)]).then(() => log.end());
  return log;
}
