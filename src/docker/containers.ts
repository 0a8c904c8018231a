/** Containers as `docker ps` and `docker inspect` show them. */
import type { PublishedPort } from '../options/published-ports.mjs';
import { quoteWord } from '../options/words.mjs';
import { printable } from '../text/byte-text.ts';
import type { PsWords } from './docker.ts';
import { formatDuration, formatList, formatTime, type Row, shortId, truncate } from './format.ts';

/** A container that runs, or is about to. */
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
  readonly memoryBytes: number;
  readonly cpus: number;
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
const SHORT_COMMAND = 20;

/** Lists containers, the newest first. @throws DockerError if the template is wrong */
export function formatContainers(containers: readonly ContainerInfo[], words: PsWords): string {
  const newest = [...containers].sort((a, b) => b.created - a.created);
  const now = Date.now();
  const rows = newest.map((info) => rowOf(info, words.noTrunc, now));
  return formatList(rows, words, COLUMNS);
}

function rowOf(info: ContainerInfo, noTrunc: boolean, now: number): Row {
  // Part of it may come from an image.
  const command = printable(info.command.map(quoteWord).join(' '));
  const { id, created, started } = info;
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
    State: started === undefined ? 'created' : 'running',
    Status: started === undefined ? 'Created' : `Up ${formatDuration(now - started)}`,
  };
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
      Status: info.started === undefined ? 'created' : 'running',
      Running: info.started !== undefined,
      Pid: info.pid,
      StartedAt: info.started === undefined ? '' : new Date(info.started).toISOString(),
    },
    Image: info.imageDigest,
    Name: `/${info.name}`,
    Platform: 'linux',
    HostConfig: {
      NetworkMode: info.network,
      AutoRemove: true,
      ReadonlyRootfs: info.readOnly,
      Init: info.init,
      Memory: info.memoryBytes,
      NanoCpus: info.cpus * 1e9,
      Devices: info.devices.map((device) => ({
        PathOnHost: device,
        PathInContainer: device,
        CgroupPermissions: 'rwm',
      })),
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
