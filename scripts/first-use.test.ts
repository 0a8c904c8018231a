/** What the programs say before any set-up, in a clone in which nothing is installed or built. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const RUN = './run.sh';
const START = 'scripts/start.mjs';

let clone: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'linuxrun-clone-'));
  const options = [
    'ls-files',
    '--cached',
    '--others',
    '--exclude-standard',
    'run.sh',
    '*.mjs',
    '*.cjs',
    'package*.json',
  ];
  const files = execFileSync('git', options, { cwd: PROJECT, encoding: 'utf8' }).trim().split('\n');
  for (const file of files) {
    mkdirSync(join(clone, dirname(file)), { recursive: true });
    cpSync(join(PROJECT, file), join(clone, file));
  }
});
afterAll(() => rmSync(clone, { recursive: true }));

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const before = readdirSync(clone);
  const [command, ...rest] = program === RUN ? [RUN, ...args] : [process.execPath, program, ...args];
  const { status, stdout, stderr } = spawnSync(command, rest, {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: clone, ...env },
  });
  expect(readdirSync(clone), 'files after the program').toEqual(before);
  return { status, stdout, stderr };
}

test('the set-up itself needs no package', () => {
  const program = "import('./scripts/setup/purposes.mjs')";
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: clone, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

describe.each([
  [RUN, /^usage: linuxrun /],
  [START, /^usage: npm start /],
])('%s', (program, usage) => {
  test.each(['--help', '-h'])('prints help for %s', (flag) => {
    expect(run(program, [flag])).toEqual({ status: 0, stdout: expect.stringMatching(usage), stderr: '' });
  });

  test('prints the version', () => {
    expect(run(program, ['--version'])).toEqual({ status: 0, stdout: `linuxrun ${version}\n`, stderr: '' });
  });
});

test.each(['boot', 'elf', 'bench', 'fuzz', 'demo', 'pictures'])(
  'npm run %s answers --help and --version',
  (program) => {
    const answer = (flag: string) => run('scripts/with-setup.mjs', [program, flag]);
    const usage = expect.stringMatching(`^usage: npm run ${program}`);
    for (const flag of ['--help', '-h'])
      expect(answer(flag)).toEqual({ status: 0, stdout: usage, stderr: '' });
    expect(answer('--version')).toEqual({ status: 0, stdout: `linuxrun ${version}\n`, stderr: '' });
  },
);

test.each<[string, Record<string, string>, string, string[]?]>([
  [RUN, { LINUXRUN_CPUS: '9' }, 'LINUXRUN_CPUS: the number of CPUs must be 1 to 8, not 9'],
  [RUN, { LINUXRUN_CPUS: 'two' }, 'LINUXRUN_CPUS: "two" is not a number'],
  [RUN, { LINUXRUN_MEMORY: '64G' }, 'LINUXRUN_MEMORY: 64G of memory is too much: at most 4G'],
  [RUN, { LINUXRUN_MEMORY: '8192K' }, 'LINUXRUN_MEMORY: 8192K of memory is too little: at least 32M'],
  [RUN, { LINUXRUN_DISK: '5k' }, 'LINUXRUN_DISK: a disk has 16M to 64G, in steps of 4096 bytes, not 5k'],
  [RUN, { LINUXRUN_ARGS: "'" }, "LINUXRUN_ARGS: a quote (') is not closed"],
  [RUN, { LINUXRUN_ENV: 'x' }, 'LINUXRUN_ENV: "x" is no NAME=value (a comma within a value is written \\,)'],
  [RUN, { LINUXRUN_REGISTRY_PASSWORD: 'x' }, 'LINUXRUN_REGISTRY_PASSWORD needs LINUXRUN_REGISTRY_USER'],
  [RUN, {}, '--jit must be hot, off, all, not "on"; see linuxrun --help', ['--jit', 'on']],
  [
    RUN,
    {},
    '"run": variables say what runs here, such as LINUXRUN_IMAGE, see linuxrun --help; ' +
      "for Docker's words: npm run -s linuxrun -- run IMAGE",
    ['run', '-it', 'busybox'],
  ],
  [
    RUN,
    { LINUXRUN_MEMROY: '1G' },
    'there is no variable LINUXRUN_MEMROY: unset it, or write LINUXRUN_MEMORY if that is meant',
  ],
  [
    START,
    { LINUXRUN_HOST: 'a.example' },
    'there is no variable LINUXRUN_HOST: unset it, or write LINUXRUN_HOSTS if that is meant',
  ],
  [START, { PORT: '65536' }, 'PORT must be a number from 0 to 65535, not "65536"'],
  [START, { PORT: 'http' }, 'PORT must be a number from 0 to 65535, not "http"'],
  [START, {}, 'unknown argument --port: see npm start -- --help', ['--port', '80']],
])('%s with %j: one line', (program, env, message, args = []) => {
  expect(run(program, args, env)).toEqual({
    status: program === RUN ? 125 : 1,
    stdout: '',
    stderr: `linuxrun: ${message}\n`,
  });
});

test('npm start names a taken port, and the command that takes another', async () => {
  const server = createServer().listen(0, 'localhost');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const { status, stderr } = run(START, [], { PORT: String(port) });
    expect(status).toBe(1);
    const [, other] =
      new RegExp(`^linuxrun: port ${port} is in use: "PORT=(\\d+) npm start" takes another one`).exec(
        stderr,
      ) ?? [];
    expect(Number(other)).not.toBe(port);
    expect(stderr.trimEnd()).not.toContain('\n');
  } finally {
    server.close();
  }
});
