import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ContainerInfo, describeContainer, formatContainers } from './containers.ts';

const NOW = Date.UTC(2026, 10, 28, 14);
const LIST = {
  command: 'ps',
  all: false,
  size: false,
  quiet: false,
  noTrunc: false,
  format: undefined,
} as const;
const WEB: ContainerInfo = {
  id: 'abcdef0123456789'.repeat(4),
  name: 'web',
  image: 'nginx',
  imageDigest: 'sha256:12',
  command: ['sh', '-c', 'echo \u001b[2J hello; sleep 10'],
  created: NOW - 300_000,
  started: NOW - 240_000,
  isKept: false,
  pid: 7,
  ports: [
    { address: '127.0.0.1', host: 8080, container: 80 },
    { address: '[::1]', host: 8443, container: 443 },
  ],
  env: ['A=b'],
  user: 'nobody',
  currentDir: '/srv',
  hostname: 'host',
  terminal: true,
  interactive: false,
  init: true,
  readOnly: true,
  network: 'none',
  devices: ['/dev/fuse'],
  tmpfs: ['/tmp:size=1m,mode=700', '/run'],
  mounts: [{ source: '/home/me', path: '/me', readOnly: true }],
  memoryBytes: 2 ** 29,
  cpus: 2,
};
const NEW: ContainerInfo = {
  ...WEB,
  id: '0'.repeat(64),
  name: 'new',
  command: ['true'],
  created: NOW - 1000,
  started: undefined,
  ports: [],
};

beforeAll(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
});
afterAll(() => {
  vi.useRealTimers();
});

describe('a list of containers', () => {
  it('is a table, with the newest first', () => {
    expect(formatContainers([WEB, NEW], LIST).split('\n')).toEqual([
      'CONTAINER ID   IMAGE   COMMAND                  CREATED         STATUS         PORTS                                         NAMES',
      '000000000000   nginx   "true"                   1 second ago    Created                                                      new',
      'abcdef012345   nginx   "sh -c \'echo \\u{1b}[…"   5 minutes ago   Up 4 minutes   127.0.0.1:8080->80/tcp, [::1]:8443->443/tcp   web',
      '',
    ]);
  });

  it.each([
    [{ quiet: true }, 'abcdef012345\n'],
    [{ quiet: true, noTrunc: true }, `${WEB.id}\n`],
    [{ quiet: true, format: '{{.Names}}' }, 'web\n'],
    [{ noTrunc: true, format: '{{.Command}}' }, `"sh -c 'echo \\u{1b}[2J hello; sleep 10'"\n`],
    [{ format: '{{.State}} {{.CreatedAt}} {{.Networks}}' }, 'running 2026-11-28 13:55:00 +0000 UTC none\n'],
  ])('with %j', (flags, text) => {
    expect(formatContainers([WEB], { ...LIST, ...flags })).toBe(text);
  });
});

describe('a kept container that does not run', () => {
  const end = { time: NOW - 60_000, status: 3, isSuspended: false };
  const kept = { ...WEB, isKept: true, pid: 0, started: undefined, size: 1_500_000, end };
  const show = (info: ContainerInfo, format: string) => formatContainers([info], { ...LIST, format });

  it.each([
    [kept, 'exited Exited (3) About a minute ago'],
    [{ ...kept, end: { ...end, status: undefined } }, 'exited Exited (137) About a minute ago'],
    [{ ...kept, end: { ...end, isSuspended: true } }, 'suspended Suspended About a minute ago'],
  ])('is shown by its end (%#)', (info, text) => {
    expect(show(info, '{{.State}} {{.Status}}')).toBe(`${text}\n`);
  });

  it('has a size', () => {
    expect(formatContainers([kept], { ...LIST, size: true })).toMatch(/NAMES +SIZE\n.* web +1.5MB\n$/);
    expect(show(kept, '{{.Size}}')).toBe('1.5MB\n');
  });

  it('is described with its end', () => {
    expect(describeContainer(kept)).toMatchObject({
      State: { Status: 'exited', Running: false, ExitCode: 3, FinishedAt: '2026-11-28T13:59:00.000Z' },
      HostConfig: { AutoRemove: false },
    });
  });
});

it('describes a container in the shape of Docker', () => {
  expect(describeContainer(WEB)).toEqual({
    Id: WEB.id,
    Created: '2026-11-28T13:55:00.000Z',
    Path: 'sh',
    Args: ['-c', 'echo \u001b[2J hello; sleep 10'],
    State: {
      Status: 'running',
      Running: true,
      Pid: 7,
      StartedAt: '2026-11-28T13:56:00.000Z',
      FinishedAt: '',
    },
    Image: 'sha256:12',
    Name: '/web',
    Platform: 'linux',
    HostConfig: {
      NetworkMode: 'none',
      AutoRemove: true,
      ReadonlyRootfs: true,
      Init: true,
      Memory: 2 ** 29,
      NanoCpus: 2e9,
      Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
      Binds: ['/home/me:/me:ro'],
      Tmpfs: { '/tmp': 'size=1m,mode=700', '/run': '' },
    },
    Config: {
      Hostname: 'host',
      User: 'nobody',
      Tty: true,
      OpenStdin: false,
      Env: ['A=b'],
      Image: 'nginx',
      WorkingDir: '/srv',
    },
    NetworkSettings: {
      Ports: {
        '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }],
        '443/tcp': [{ HostIp: '[::1]', HostPort: '8443' }],
      },
    },
  });
  expect(describeContainer(NEW)).toMatchObject({
    State: { Status: 'created', Running: false, StartedAt: '' },
  });
});
