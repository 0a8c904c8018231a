/** Containers in the words of Docker. */
import type { ContainerInfo } from '../docker/containers.ts';
import { findById } from '../docker/find.ts';
import { familiarName } from '../docker/images.ts';
import { type ImageConfig, parseConfigFile } from '../oci/image.ts';
import { commandOf } from '../options/command.ts';
import type { ContainerRecord } from '../storage/container-store.ts';
import { library } from './host.ts';
import { keptOptions, type LaunchOptions } from './kept-options.ts';

/** How a container runs. */
export type RunDetails = Omit<
  ContainerInfo,
  'id' | 'name' | 'image' | 'imageDigest' | 'created' | 'started' | 'pid' | 'interactive' | 'isKept'
>;

export function detailsOf(launch: LaunchOptions, config: ImageConfig): RunDetails {
  const {
    ports,
    env,
    hostname = '',
    terminal,
    init,
    readOnly,
    devices,
    tmpfs,
    mounts = [],
    memoryBytes,
    cpus,
  } = launch;
  return {
    ...{ ports, env, hostname, terminal, devices, tmpfs, mounts, memoryBytes, cpus },
    command: commandOf(config, launch),
    user: launch.user ?? config.user,
    currentDir: launch.currentDir ?? (config.workingDir || '/'),
    init: init === true,
    readOnly: readOnly === true,
    network: launch.network === 'none' ? 'none' : 'bridge',
  };
}

/** The kept containers that do not run. @param withSizes whether their sizes are measured */
export async function stoppedContainers(withSizes: boolean): Promise<ContainerInfo[]> {
  const { containers } = library().openStore();
  const [records, running] = await Promise.all([containers.list(), containers.running()]);
  return Promise.all(
    records
      .filter(({ id }) => !running.has(id))
      .map(async (record) => ({
        ...describe(record),
        size: withSizes ? await containers.usage(record.name).catch(() => undefined) : undefined,
      })),
  );
}

/** @param text a name, an ID, or the beginning of one @throws DockerError */
export async function findStopped(text: string): Promise<ContainerInfo> {
  const stopped = await stoppedContainers(false);
  return stopped.find(({ name }) => name === text) ?? findById('container', stopped, text, ({ id }) => id);
}

function describe(record: ContainerRecord): ContainerInfo {
  const { name, reference, digest, created, lastUsed, session } = record;
  const { launch, status } = keptOptions(record);
  const { config } = parseConfigFile(new TextEncoder().encode(record.config));
  return {
    ...detailsOf(launch, config),
    ...{ name, created },
    id: hexId(record),
    image: familiarName(reference),
    imageDigest: digest,
    started: undefined,
    end: { time: lastUsed, status, isSuspended: session !== undefined },
    isKept: true,
    pid: 0,
    interactive: launch.terminal,
  };
}

/** The ID of a kept container, in Docker's digits. */
export function hexId({ id }: Pick<ContainerRecord, 'id'>): string {
  return id.replaceAll('-', '');
}
