import { describe, expect, it } from 'vitest';
import { DEFAULT_FORM, type Form } from './form.ts';
import { readPaste } from './paste.ts';

describe('a pasted command', () => {
  it.each<[string, Partial<Form>, string[]]>([
    ['docker run alpine', { image: 'alpine' }, []],
    [
      'docker run -it -e A=b alpine sh',
      { image: 'alpine', env: [{ name: 'A', value: 'b' }], args: 'sh' },
      [],
    ],
    ['$ sudo docker container run --rm -ti ubuntu:24.04', { image: 'ubuntu:24.04' }, []],
    ['podman run --rm ghcr.io/a/b:1 ls -l', { image: 'ghcr.io/a/b:1', args: 'ls -l' }, []],
    [
      'docker run --env A= --env=B=c=d -eC=1 -ite D alpine',
      {
        env: [
          { name: 'A', value: '' },
          { name: 'B', value: 'c=d' },
          { name: 'C', value: '1' },
          { name: 'D', value: '' },
        ],
      },
      [],
    ],
    [
      'docker run --entrypoint /bin/sh -m 512m --cpus=1.5 --init alpine -c "echo $HOME; a  b"',
      { entrypoint: '/bin/sh', memory: '512M', cpus: '2', init: '1', args: "-c 'echo $HOME; a  b'" },
      [],
    ],
    ['docker run --entrypoint "" -m 1073741824b alpine', { entrypoint: '', memory: '1073741824' }, []],
    [
      'docker run -d -p 8080:80 -v "$PWD:/src" --network=host --name web nginx',
      { image: 'nginx', args: '' },
      ['-d', '-p 8080:80', '-v $PWD:/src', '--network=host', '--name web'],
    ],
    [
      'docker run --frobnicate -Z --x=y alpine',
      { image: 'alpine' },
      ['--frobnicate (unknown)', '-Z (unknown)', '--x=y (unknown)'],
    ],
    [
      'docker run --device /dev/fuse --device=/dev/net/tun --device /dev/kvm alpine',
      { devices: '/dev/fuse,/dev/net/tun' },
      ['--device /dev/kvm'],
    ],
    ['docker run --network=none alpine', { network: 'none' }, []],
    ['docker run --net none --network bridge alpine', { network: '' }, []],
    ['docker run --platform linux/riscv64 alpine', { platform: 'linux/riscv64' }, []],
    ['docker run --platform linux/s390x alpine', { platform: '' }, ['--platform linux/s390x']],
    ['docker run -it -- alpine --help', { image: 'alpine', args: '--help' }, []],
    ['docker run alpine echo hi && rm -rf /', { args: 'echo hi' }, ['&& rm -rf /']],
    ['docker run alpine cat < file | wc', { args: 'cat' }, ['< file | wc']],
    ['docker run -it \\\n  -e A=b \\\n  alpine \\\n  sh', { image: 'alpine', args: 'sh' }, []],
    ['# try it\ndocker pull alpine\n\ndocker run alpine:3 ls\nls', { image: 'alpine:3', args: 'ls' }, []],
    ["Here's docker:\ndocker run alpine ls\nIt's that", { image: 'alpine', args: 'ls' }, []],
    ['docker pull debian && docker run alpine ls', { image: 'alpine', args: 'ls' }, []],
    ['docker run alpine ls; docker ps', { args: 'ls' }, ['; docker ps']],
    ['docker run alpine ls;', { args: 'ls' }, []],
    ['docker run -w /srv alpine', { workdir: '/srv' }, []],
    ['docker run alpine ls|wc', { args: 'ls' }, ['|wc']],
    ['docker run alpine ls 2>/dev/null # list', { args: 'ls' }, ['2>/dev/null # list']],
    ['docker run -i alpine <<EOF\nls\nEOF', { args: '' }, ['<<EOF']],
    ["docker run alpine grep '|' '>' \\; -", { args: "grep '|' '>' ';' -" }, []],
    ['docker run -v $(pwd -P):/x -p <port>:80 alpine', {}, ['-v $(pwd -P):/x', '-p <port>:80']],
    ['root@host:~# A=1 sudo -E docker run alpine', { image: 'alpine' }, []],
    ['```\ndocker run alpine\n```', { image: 'alpine' }, []],
    ['PS C:\\> docker run `\r\n  alpine', { image: 'alpine' }, []],
    ["docker run alpine sh -c 'a\nb'", { args: "sh -c 'a\nb'" }, []],
  ])('%s fills in the form', (text, form, leftOut) => {
    const pasted = readPaste(text);
    expect(pasted?.form).toMatchObject(form);
    expect(pasted?.form).toMatchObject({ disk: DEFAULT_FORM.disk });
    expect(pasted?.leftOut).toEqual(leftOut);
  });

  it.each([
    ['docker pull alpine', 'alpine'],
    ['docker pull -q debian:trixie', 'debian:trixie'],
    ['docker image pull ghcr.io/a/b', 'ghcr.io/a/b'],
    ['https://hub.docker.com/_/alpine', 'alpine'],
    ['https://hub.docker.com/_/python/tags?name=3.13-alpine', 'python:3.13-alpine'],
    ['hub.docker.com/r/bitnami/redis', 'bitnami/redis'],
    ['https://hub.docker.com/r/bitnami/redis/tags', 'bitnami/redis'],
    ['https://hub.docker.com/repository/docker/owner/name/general', 'owner/name'],
    ['https://hub.docker.com/layers/library/alpine/3.22/images/sha256-abc?context=explore', 'alpine:3.22'],
    [' https://hub.docker.com/_/alpine#how-to ', 'alpine'],
  ])('%s fills in the image alone', (text, image) => {
    expect(readPaste(text)).toEqual({ form: { image }, leftOut: [] });
  });

  it('to pull an image for a platform fills in both', () => {
    const form = { image: 'alpine', platform: 'arm64' };
    expect(readPaste('docker pull --platform arm64 alpine')).toEqual({ form, leftOut: [] });
  });

  it.each([
    'alpine',
    'docker.io/library/alpine',
    'docker run',
    'docker run -it',
    'docker run "alpine',
    'docker run an/Image',
    'docker run $(evil)',
    'docker ps',
    'docker',
    'echo docker run alpine',
    'https://hub.docker.com/',
    'https://hub.docker.com/search?q=alpine',
    'https://hub.docker.com/__proto__/x',
    'https://hub.docker.com/_/../../x',
    'https://evil.example/hub.docker.com/_/alpine',
    'https://hub.docker.com.evil.example/_/alpine',
    `docker run alpine ${'x '.repeat(10_000)}`,
    '',
  ])('%s is left as it is', (text) => {
    expect(readPaste(text)).toBeUndefined();
  });

  it('has no control characters in what it leaves out', () => {
    const { leftOut = [] } = readPaste('docker run --name "a\u202eb\u0007\n" alpine') ?? {};
    expect(leftOut).toEqual(['--name a b']);
  });
});
