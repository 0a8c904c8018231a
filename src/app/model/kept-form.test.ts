import { expect, it } from 'vitest';
import { linkOf } from './kept-form.ts';
import { readLink } from './link.ts';

it('starts a kept container as it was started, without the values of variables', () => {
  const link = linkOf({
    image: 'docker.io/library/alpine:latest',
    options: {
      entrypoint: ['sh', '-c', 'a b'],
      args: undefined,
      env: ['TOKEN=secret'],
      currentDir: '/project',
      init: true,
      devices: ['/dev/fuse'],
      tmpfs: [],
      ports: [{ address: '127.0.0.1', host: 8080, container: 80 }],
      ...{ cpus: 2, memoryBytes: 2 ** 30, diskBytes: 2 ** 31, network: 'none', terminal: true },
    },
  });
  expect(link).not.toContain('secret');
  expect(readLink(link).form).toMatchObject({
    ...{ image: 'docker.io/library/alpine:latest', entrypoint: "sh -c 'a b'", args: '' },
    env: [{ name: 'TOKEN', value: '' }],
    ...{ workdir: '/project', init: '1', devices: '/dev/fuse', ports: '8080:80', network: 'none' },
    ...{ cpus: '2', memory: '1G', disk: '2G' },
  });
});
