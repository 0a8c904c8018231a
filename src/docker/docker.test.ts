import { describe, expect, it } from 'vitest';
import { splitWords } from '../options/words.mjs';
import { COMMANDS } from './commands.ts';
import { parseDocker } from './docker.ts';
import { completeVariables, parseEnvFile } from './environment.ts';
import { DockerError } from './errors.ts';
import { helpOf, helpOfAll } from './help.ts';

const parse = (line: string) => parseDocker(splitWords(line));

function errorOf(line: string): { message: string; status: number } {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof DockerError) return { message: error.message, status: error.status };
    throw error;
  }
  throw new Error(`${line} is accepted`);
}

describe('docker run', () => {
  it.each<[string, object]>([
    ['run alpine', { image: 'alpine', args: undefined, entrypoint: undefined, tty: false, pull: 'missing' }],
    ['run -it alpine sh', { interactive: true, tty: true, image: 'alpine', args: ['sh'] }],
    ['run -ti alpine', { interactive: true, tty: true }],
    ['run -itd --rm alpine', { interactive: true, tty: true, detach: true, remove: true }],
    ['run --rm=false --init=true -i alpine', { init: true, interactive: true }],
    ['run --init=false alpine', { init: false }],
    ['run alpine sh -c "echo a  b" --rm', { args: ['sh', '-c', 'echo a  b', '--rm'] }],
    ['run alpine -it', { interactive: false, args: ['-it'] }],
    ['run -- alpine --help', { image: 'alpine', args: ['--help'] }],
    ['run alpine -- x', { args: ['--', 'x'] }],
    ['run -eA=b -e C -ite D=e=f --env=G= alpine', { env: ['A=b', 'C', 'D=e=f', 'G='], tty: true }],
    ['run -e=A=b alpine', { env: ['A=b'] }],
    ['run -e -- alpine', { env: ['--'], image: 'alpine' }],
    ['run --env-file a --env-file=b alpine', { envFiles: ['a', 'b'] }],
    ["run --entrypoint '' alpine ls", { entrypoint: [], args: ['ls'] }],
    ['run --entrypoint= alpine ls', { entrypoint: [] }],
    ['run --entrypoint "/bin/a b" alpine', { entrypoint: ['/bin/a b'] }],
    ['run -w /tmp -u nobody:users alpine', { currentDir: '/tmp', user: 'nobody:users' }],
    ['run -m 512m alpine', { memoryBytes: 512 << 20 }],
    ['run --memory=1073741824b alpine', { memoryBytes: 1 << 30 }],
    ['run --cpus 1.5 alpine', { cpus: 2 }],
    ['run --cpus=.5 alpine', { cpus: 1 }],
    ['run --cpus 0 alpine', { cpus: undefined }],
    ['run --cpus 1 --cpus 4 alpine', { cpus: 4 }],
    ['run -p8080:80 alpine', { ports: [{ address: '127.0.0.1', host: 8080, container: 80 }] }],
    ['run -p 80 alpine', { ports: [{ address: '127.0.0.1', host: 0, container: 80 }] }],
    ['run -p 0.0.0.0::80/tcp alpine', { ports: [{ address: '0.0.0.0', host: 0, container: 80 }] }],
    ['run -p 1:1 -p [::1]:2:2 alpine', { ports: [{ host: 1 }, { address: '[::1]', host: 2 }] }],
    ['run --name web -h box alpine', { name: 'web', hostname: 'box', remove: false }],
    ['run --name a alpine', { name: 'a' }],
    ['run --network none alpine', { network: 'none' }],
    ['run --net=bridge alpine', { network: 'bridge' }],
    ['run --device /dev/fuse:/dev/fuse:rwm alpine', { devices: ['/dev/fuse'] }],
    [
      'run -v ./a:/b --volume=/c:/d/:ro alpine',
      {
        volumes: [
          { source: './a', path: '/b', readOnly: false },
          { source: '/c', path: '/d', readOnly: true },
        ],
      },
    ],
    [
      'run --read-only --tmpfs /run --tmpfs /tmp:size=1m alpine',
      { readOnly: true, tmpfs: ['/run', '/tmp:size=1m'] },
    ],
    ['run --pull=never -q alpine', { pull: 'never', quiet: true }],
    ['run --platform linux/riscv64 alpine', { image: 'alpine' }],
    ['container run alpine', { command: 'run', image: 'alpine' }],
  ])('%s', (line, words) => {
    expect(parse(line)).toMatchObject({ command: 'run', ...words });
  });

  it.each([
    ['run --frob alpine', 'unknown flag: --frob'],
    ['run --frob=1 alpine', 'unknown flag: --frob'],
    ['run --m 1g alpine', 'unknown flag: --m'],
    ['run -iZt alpine', "unknown shorthand flag: 'Z' in -Zt"],
    ['run --env', 'flag needs an argument: --env'],
    ['run -ite', "flag needs an argument: 'e' in -e"],
    ['run -e =x alpine', 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
    [
      'run -m much alpine',
      'invalid argument "much" for "-m, --memory" flag: "much" is no size: write one such as 512M or 2G',
    ],
    [
      'run -m 1m alpine',
      'invalid argument "1m" for "-m, --memory" flag: 1m of memory is too little: at least 32M',
    ],
    [
      'run --cpus 9 alpine',
      'invalid argument "9" for "--cpus" flag: the number of CPUs must be 1 to 8, not 9',
    ],
    ['run --cpus x alpine', 'invalid argument "x" for "--cpus" flag: "x" is not a number'],
    [
      'run --init=maybe alpine',
      'invalid argument "maybe" for "--init" flag: "maybe" is neither true nor false',
    ],
    [
      'run --pull often alpine',
      'invalid argument "often" for "--pull" flag: it must be one of always, missing, never',
    ],
    [
      'run --platform linux/s390x alpine',
      'invalid argument "linux/s390x" for "--platform" flag: the platforms are linux/riscv64, linux/arm64, linux/amd64',
    ],
    [
      'run -w tmp alpine',
      'invalid argument "tmp" for "-w, --workdir" flag: the working directory \'tmp\' is invalid, it needs to be an absolute path',
    ],
    [
      'run --name / alpine',
      'invalid argument "/" for "--name" flag: a name has letters, digits, _, . and -, and begins with a letter or a digit',
    ],
    [
      `run --name ${'x'.repeat(65)} alpine`,
      `invalid argument "${'x'.repeat(65)}" for "--name" flag: a name has at most 64 characters`,
    ],
    [
      'run --network host alpine',
      'invalid argument "host" for "--network" flag: a container has a kernel of its own and cannot share the network of this machine; use -p',
    ],
    [
      'run --device /dev/kvm alpine',
      'invalid argument "/dev/kvm" for "--device" flag: there is no device "/dev/kvm" to give: name /dev/fuse or /dev/net/tun',
    ],
    [
      'run --tmpfs x alpine',
      'invalid argument "x" for "--tmpfs" flag: "x" is no place for a temporary file system: the path must be absolute, and not the root',
    ],
    [
      'run -v data:/b alpine',
      'invalid argument "data:/b" for "-v, --volume" flag: there are no volumes with names: for the folder, write ./data instead of data',
    ],
    [
      'run --privileged alpine',
      '--privileged is not supported: a container always has the privileges that Docker grants without flags',
    ],
  ])('%s is refused with the reason', (line, message) => {
    expect(errorOf(line)).toEqual({ message, status: 125 });
  });

  it('needs an image', () => {
    expect(errorOf('run -it')).toEqual({ message: "'run' requires at least 1 argument", status: 1 });
  });

  it('takes no help from the command of the container', () => {
    expect(parse('run --help')).toEqual({ command: 'help', about: 'run' });
    expect(parse('run alpine --help')).toMatchObject({ command: 'run', args: ['--help'] });
  });
});

describe('the other commands', () => {
  it.each<[string, object]>([
    ['', { command: 'help', about: undefined }],
    ['help ps', { command: 'help', about: 'ps' }],
    ['--version', { command: 'version' }],
    ['version --json', { command: 'version', format: 'json' }],
    [
      'exec -itu root -eA=b web sh -c ls',
      { command: 'exec', container: 'web', user: 'root', env: ['A=b'], args: ['sh', '-c', 'ls'] },
    ],
    ['ps -aqs', { command: 'ps', quiet: true, all: true, size: true, format: undefined }],
    ['start a b', { command: 'start', containers: ['a', 'b'], attach: false, interactive: false }],
    ['container start -ai a', { command: 'start', containers: ['a'], attach: true, interactive: true }],
    ['start -i a', { command: 'start', attach: true, interactive: true }],
    ['rm -fv a b', { command: 'rm', containers: ['a', 'b'], force: true }],
    ['rename a b', { command: 'rename', container: 'a', newName: 'b' }],
    ['container prune -f', { command: 'prune', force: true }],
    ['suspend a b', { command: 'suspend', containers: ['a', 'b'], snapshot: undefined }],
    ['suspend --snapshot f a', { command: 'suspend', containers: ['a'], snapshot: 'f' }],
    ['resume -a a', { command: 'resume', containers: ['a'], attach: true, snapshot: undefined }],
    ['resume --snapshot f --name a', { command: 'resume', containers: [], snapshot: 'f', name: 'a' }],
    [
      'commit -a me -m why -c "USER a" -c "CMD b" a image',
      {
        command: 'commit',
        container: 'a',
        image: 'image',
        author: 'me',
        message: 'why',
        changes: ['USER a', 'CMD b'],
      },
    ],
    ['save -o f image', { command: 'save', image: 'image', output: 'f' }],
    ['export a', { command: 'export', container: 'a', output: undefined }],
    ['import --name a f image', { command: 'import', name: 'a', file: 'f', image: 'image' }],
    ["ps --format '{{.Names}}'", { command: 'ps', format: '{{.Names}}' }],
    ['container ls --json --no-trunc', { command: 'ps', format: 'json', noTrunc: true }],
    ['stop -t 3 -s KILL a b', { command: 'stop', seconds: 3, signal: 'KILL', containers: ['a', 'b'] }],
    ['logs -fn5 web', { command: 'logs', follow: true, tail: 5, container: 'web' }],
    ['logs --tail all web', { command: 'logs', follow: false, tail: undefined }],
    [
      'cp web:/a ./b:c',
      { from: { container: 'web', path: '/a' }, to: { container: undefined, path: './b:c' } },
    ],
    ['cp a web:/b', { from: { container: undefined, path: 'a' }, to: { container: 'web', path: '/b' } }],
    ['inspect --json web', { command: 'inspect', names: ['web'], format: 'json' }],
    ['inspect -f {{.Id}} web', { command: 'inspect', names: ['web'], format: '{{.Id}}' }],
    ['pull -q alpine', { command: 'pull', image: 'alpine', quiet: true }],
    ['image ls', { command: 'images', image: undefined }],
    ['rmi -f a b', { command: 'rmi', force: true, images: ['a', 'b'] }],
  ])('%s', (line, words) => {
    expect(parse(line)).toMatchObject(words);
  });

  it.each([
    ['frob', 'unknown command: frob', 1],
    ['container frob', 'unknown command: container frob', 1],
    ['constructor', 'unknown command: constructor', 1],
    ['create alpine', 'there is no command create: a container starts when it is made: use run', 1],
    ['container restart a', 'unknown command: container restart', 1],
    ['restart a', 'there is no command restart: use stop, and then start', 1],
    ['start -a a b', 'only one container can be attached', 1],
    [
      'rename a /b',
      'invalid name "/b": a name has letters, digits, _, . and -, and begins with a letter or a digit',
      1,
    ],
    ['suspend --snapshot f a b', 'a file holds the session of one container', 1],
    ['resume', 'resume takes the names of containers, or --snapshot FILE', 1],
    ['resume --snapshot f a', 'resume takes the names of containers, or --snapshot FILE', 1],
    ['resume --name b a', '--name is for the session of a file: use --snapshot FILE', 1],
    [
      'commit -c "RUN a" a b',
      'invalid argument "RUN a" for "-c, --change" flag: the instructions are CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR, not "RUN"',
      125,
    ],
    ['commit a', "'commit' requires 2 arguments", 1],
    ['import f image', 'name the new container: import --name NAME FILE IMAGE', 1],
    ['--frob', 'unknown flag: --frob', 125],
    ['exec web', "'exec' requires at least 2 arguments", 1],
    ['cp a', "'cp' requires 2 arguments", 1],
    ['cp - web:/a', 'tar streams are not supported: copy a file or a folder', 1],
    ['cp a b', 'must specify at least one container source', 1],
    ['cp web:/b db:/d', 'copying between containers is not supported', 1],
    ['ps web', "'ps' accepts no arguments", 1],
    ['ps -f x=y', '-f, --filter is not supported: pick lines of the output with other programs', 125],
    ['stop -t soon web', 'invalid argument "soon" for "-t, --time" flag: it is not a number of seconds', 125],
  ])('%s is refused', (line, message, status) => {
    expect(errorOf(line)).toEqual({ message, status });
  });
});

describe('the environment', () => {
  it('reads a file as Docker does', () => {
    const text = '\uFEFF# comment\n\nA=b\r\n  B="c d" # e\nHOME\nC=\nD=x=y\n';
    const variables = parseEnvFile(text, 'f');
    expect(variables).toEqual(['A=b', 'B="c d" # e', 'HOME', 'C=', 'D=x=y']);
    expect(completeVariables([...variables, 'NONE'], { HOME: '/root' })).toEqual([
      'A=b',
      'B="c d" # e',
      'HOME=/root',
      'C=',
      'D=x=y',
    ]);
  });

  it.each([
    ['=x', "f: no variable name on line '=x'"],
    ['A B=c', "f: variable 'A B' contains whitespaces"],
  ])('refuses the line %s', (text, message) => {
    expect(() => parseEnvFile(text, 'f')).toThrow(message);
  });
});

describe('the help', () => {
  it('names every command, and every flag that works', () => {
    for (const [name, { flags }] of Object.entries(COMMANDS)) {
      expect(helpOfAll('linuxrun')).toContain(`  ${name} `);
      const text = helpOf('linuxrun', name as keyof typeof COMMANDS);
      for (const { name: flag, help } of flags)
        expect(new RegExp(`--${flag}(?![\\w-])`).test(text), flag).toBe(help !== undefined);
    }
    expect(helpOf('linuxrun', 'run')).toMatch(/^ {2}-e, --env list +NAME=VALUE: set a variable/m);
    expect(helpOf('linuxrun', 'run')).not.toContain('--volumes-from');
  });
});

describe('flags after operands', () => {
  it.each<[string, object]>([
    ['export box -o box.tar', { container: 'box', output: 'box.tar' }],
    ['save alpine --output=a.tar', { image: 'alpine', output: 'a.tar' }],
    ['import box.tar alpine --name box', { file: 'box.tar', image: 'alpine', name: 'box' }],
    ['import - --name box alpine', { file: '-', image: 'alpine', name: 'box' }],
    ['stop a -t 5 b', { containers: ['a', 'b'], seconds: 5 }],
    ['logs web -fn 10', { container: 'web', follow: true, tail: 10 }],
    ['rm a b -f', { containers: ['a', 'b'], force: true }],
    ['rm a -- -f', { containers: ['a', '-f'], force: false }],
    ['rm -- -f', { containers: ['-f'], force: false }],
    ['stop a --help', { command: 'help', about: 'stop' }],
    ['exec -i web ls -l -t', { container: 'web', args: ['ls', '-l', '-t'], tty: false }],
  ])('%s', (line, words) => {
    expect(parse(line)).toMatchObject(words);
  });

  it.each([
    ['export box -o', "flag needs an argument: 'o' in -o"],
    ['rm a --forced', 'unknown flag: --forced'],
    ['rm a -x', "unknown shorthand flag: 'x' in -x"],
    ['ps -a --filter x', '-f, --filter is not supported: pick lines of the output with other programs'],
  ])('%s is refused', (line, message) => {
    expect(errorOf(line).message).toBe(message);
  });
});
