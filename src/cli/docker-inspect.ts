/** `linuxrun inspect`. */
import type { InspectWords } from '../docker/docker.ts';
import { formatObject, type Row } from '../docker/format.ts';
import { findContainer } from './client.ts';
import { CommandError } from './errors.ts';
import type { ContainerInfo } from './owner-protocol.ts';
import { write } from './program.ts';
import { Sockets } from './sockets.ts';

export async function dockerInspect({ names, format, type }: InspectWords): Promise<number> {
  const sockets = await Sockets.open(process.env);
  const found: Row[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const object = await inspect(sockets, name, type);
    if (object) found.push(object);
    else missing.push(name);
  }
  const text =
    format === undefined
      ? `${JSON.stringify(found, undefined, 4)}\n`
      : found.map((object) => formatObject(object, format)).join('');
  await write(process.stdout, text);
  for (const name of missing) process.stderr.write(`linuxrun: No such ${type ?? 'object'}: ${name}\n`);
  return missing.length === 0 ? 0 : 1;
}

async function inspect(sockets: Sockets, name: string, type: InspectWords['type']): Promise<Row | undefined> {
  if (type !== 'image') {
    const info = await containerInfo(sockets, name);
    if (info) return describe(info);
  }
  if (type === 'container') return undefined;
  const { describeImage } = await import('./docker-images.ts');
  return describeImage(name);
}

async function containerInfo(sockets: Sockets, name: string): Promise<ContainerInfo | undefined> {
  try {
    return await (await findContainer(sockets, name)).info();
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

/** A container in the shape of Docker's. */
function describe(info: ContainerInfo): Row {
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
