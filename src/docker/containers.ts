/** Containers as `docker ps` and `docker inspect` show them. */
import type { FolderMount } from '../options/mounts.mjs';
import type { PublishedPort } from '../options/published-ports.mjs';
import { quoteWord } from '../options/words.mjs';
import { printable } from '../text/byte-text.ts';
import {
  formatBytes,
  formatDuration,
  formatList,
  formatTime,
  type Row,
  shortId,
  truncate,
} from './format.ts';
import type { PsWords } from './words.ts';

/** A container that runs or is about to, or one that is kept. */
export interface ContainerInfo {
  readonly id: string;
  readonly name: string;
  /** As the user named it. */
  readonly image: string;
  readonly imageDigest: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** In ms since 1970. */
  readonly created: number;
  /** When the program began to run, in ms since 1970; undefined before. */
  readonly started: number | undefined;
  /** How a kept container has ended, if it does not run. */
  readonly end?: ContainerEnd | undefined;
  /** Whether its files are kept when it has ended. */
  readonly isKept: boolean;
  /** The bytes that it has written, if they were asked for. */
  readonly size?: number | undefined;
  /** The process that runs its machine; 0 if that is the caller's own, or a page. */
  readonly pid: number;
  readonly ports: readonly PublishedPort[];
  /** Of its own, in addition to the image's. */
  readonly env: readonly string[];
  readonly user: string;
  readonly currentDir: string;
  readonly hostname: string;
  readonly terminal: boolean;
  readonly interactive: boolean;
  readonly init: boolean;
  readonly readOnly: boolean;
  readonly network: 'none' | 'bridge';
  readonly devices: readonly string[];
  readonly tmpfs: readonly string[];
  readonly mounts: readonly FolderMount[];
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** The end of a kept container. */
export interface ContainerEnd {
  /** In ms since 1970. */
  readonly time: number;
  /** Undefined if its owner was killed. */
  readonly status: number | undefined;
  /** Whether it goes on where it was when it starts. */
  readonly isSuspended: boolean;
}

const COLUMNS = {
  'CONTAINER ID': 'ID',
  IMAGE: 'Image',
  COMMAND: 'Command',
  CREATED: 'RunningFor',
  STATUS: 'Status',
  PORTS: 'Ports',
  NAMES: 'Names',
};
const COLUMNS_WITH_SIZES = { ...COLUMNS, SIZE: 'Size' };
const SHORT_COMMAND = 20;
/** The status of a container whose owner was killed. */
const STATUS_KILLED = 137;

/** Lists containers, the newest first. @throws DockerError if the template is wrong */
export function formatContainers(containers: readonly ContainerInfo[], words: PsWords): string {
  const newest = [...containers].sort((a, b) => b.created - a.created);
  const now = Date.now();
  const rows = newest.map((info) => rowOf(info, words.noTrunc, now));
  return formatList(rows, words, words.size ? COLUMNS_WITH_SIZES : COLUMNS);
}

function rowOf(info: ContainerInfo, noTrunc: boolean, now: number): Row {
  // Part of it may come from an image.
  const command = printable(info.command.map(quoteWord).join(' '));
  const { id, created } = info;
  const ports = info.ports.map(({ address, host, container }) => `${address}:${host}->${container}/tcp`);
  return {
    Command: `"${noTrunc ? command : truncate(command, SHORT_COMMAND)}"`,
    CreatedAt: formatTime(created),
    ID: noTrunc ? id : shortId(id),
    Image: info.image,
    Names: info.name,
    Networks: info.network,
    Ports: ports.join(', '),
    RunningFor: `${formatDuration(now - created)} ago`,
    Size: info.size === undefined ? '' : formatBytes(info.size),
    State: stateOf(info),
    Status: statusOf(info, now),
  };
}

function stateOf({ started, end }: ContainerInfo): string {
  if (end) return end.isSuspended ? 'suspended' : 'exited';
  return started === undefined ? 'created' : 'running';
}

function statusOf({ started, end }: ContainerInfo, now: number): string {
  if (!end) return started === undefined ? 'Created' : `Up ${formatDuration(now - started)}`;
  const ago = `${formatDuration(now - end.time)} ago`;
  if (end.isSuspended) return `Suspended ${ago}`;
  return `Exited (${end.status ?? STATUS_KILLED}) ${ago}`;
}

function timeOf(ms: number | undefined): string {
  return ms === undefined ? '' : new Date(ms).toISOString();
}

/** Describes a container in the shape of Docker's. */
export function describeContainer(info: ContainerInfo): Row {
  const [path = '', ...args] = info.command;
  const ports = info.ports.map(({ address, host, container }) => [
    `${container}/tcp`,
    [{ HostIp: address, HostPort: String(host) }],
  ]);
  return {
    Id: info.id,
    Created: new Date(info.created).toISOString(),
    Path: path,
    Args: args,
    State: {
      Status: stateOf(info),
      Running: stateOf(info) === 'running',
      Pid: info.pid,
      StartedAt: timeOf(info.started),
      FinishedAt: timeOf(info.end?.time),
      ...(info.end && { ExitCode: info.end.status ?? STATUS_KILLED }),
    },
    Image: info.imageDigest,
    Name: `/${info.name}`,
    Platform: 'linux',
    HostConfig: {
      NetworkMode: info.network,
      AutoRemove: !info.isKept,
      ReadonlyRootfs: info.readOnly,
      Init: info.init,
      Memory: info.memoryBytes,
      NanoCpus: info.cpus * 1e9,
      Devices: info.devices.map((device) => ({
        PathOnHost: device,
        PathInContainer: device,
        CgroupPermissions: 'rwm',
      })),
      Binds: info.mounts.map(({ source, path, readOnly }) => `${source}:${path}${readOnly ? ':ro' : ''}`),
      Tmpfs: Object.fromEntries(
        info.tmpfs.map((mount) => {
          const [path = '', options = ''] = mount.split(/:(.*)/s);
          return [path, options];
        }),
      ),
    },
    Config: {
      Hostname: info.hostname,
      User: info.user,
      Tty: info.terminal,
      OpenStdin: info.interactive,
      Env: info.env,
      Image: info.image,
      WorkingDir: info.currentDir,
    },
    NetworkSettings: { Ports: Object.fromEntries(ports) },
  };
}
