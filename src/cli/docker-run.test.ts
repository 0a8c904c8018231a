/** Lines of `docker run` with the results that Docker documents, and ours where they differ. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Given, Linuxrun, type Outcome } from './testing/linuxrun.ts';

const AT_ONCE = 2;
const TIMEOUT = 120_000;
const READY = `trap "echo got it; exit 3" TERM INT; echo ready; while true; do sleep 0.1; done`;

interface Row extends Given {
  readonly status: number;
  /** Standard output, to the byte. */
  readonly out?: string | RegExp;
  /** What standard error contains; nothing if it is left out. */
  readonly err?: string;
}

const TABLE: Readonly<Record<string, Row>> = {
  // Statuses.
  'run busybox echo hi': { status: 0, out: 'hi\n' },
  'run -- busybox echo hi': { status: 0, out: 'hi\n' },
  "run busybox sh -c 'echo out; echo err >&2; exit 7'": { status: 7, out: 'out\n', err: 'err\n' },
  'run busybox nosuch': { status: 127, err: 'nosuch: not found' },
  'run busybox /etc': { status: 126, err: '/etc' },
  "run --init busybox sh -c 'kill -TERM $$'": { status: 143 },
  'run hello-world': { status: 0, out: /^Hello from LinuxRun!\n/ },
  'run --rm=true hello-world': { status: 0, out: /^Hello from LinuxRun!\n/ },

  // Words that are wrong, or ask for what there is not.
  'run --frob busybox': {
    status: 125,
    err: "unknown flag: --frob\n\nRun 'linuxrun run --help' for more information",
  },
  'run -iZ busybox': { status: 125, err: "unknown shorthand flag: 'Z' in -Z" },
  'run -it': { status: 1, err: "'run' requires at least 1 argument" },
  'run UPPER': { status: 125, err: '"UPPER" is not an image reference' },
  'run --pull never nosuch/image': { status: 125, err: 'docker.io/nosuch/image:latest is not stored' },
  'run -v /tmp/no-such-folder:/x busybox': {
    status: 125,
    err: 'there is no folder /tmp/no-such-folder to share: make it first',
  },
  'run -v /tmp:x busybox': { status: 125, err: 'with an absolute path in the container' },
  'run --privileged busybox': { status: 125, err: '--privileged is not supported: ' },
  'run --network host busybox': { status: 125, err: 'cannot share the network of this machine' },
  'run --platform linux/s390x busybox': { status: 125, err: 'the platforms are linux/riscv64, linux/arm64' },
  'run -w tmp busybox pwd': { status: 125, err: 'it needs to be an absolute path' },
  'run -m 1m busybox': { status: 125, err: 'is too little' },
  'run -p 8080:80/udp busybox': { status: 125, err: 'only TCP ports can be published' },
  "run --entrypoint '' hello-world": { status: 125, err: 'the image names no program to run' },

  // Quoting, and words that belong to the program.
  'run busybox echo "a  b" \'c "d"\' e\\ f': { status: 0, out: 'a  b c "d" e f\n' },
  'run busybox echo -it --rm -- $HOME': { status: 0, out: '-it --rm -- $HOME\n' },
  "run busybox printf '%s|' '' a": { status: 0, out: '|a|' },

  // Standard input, and a terminal.
  'run busybox cat': { status: 0, input: 'lost', out: '' },
  'run -i busybox cat': { status: 0, input: 'a\0b\n', out: 'a\0b\n' },
  'run --interactive=true busybox wc -l': { status: 0, input: 'a\nb\n', out: '2\n' },
  'run -t busybox tty': { status: 0, out: '/dev/pts/0\r\n' },
  'run -it busybox true': { status: 1, err: 'the input device is not a TTY' },

  // The environment.
  "run -e A=b -eC=d --env=E= busybox sh -c 'echo $A$C${E-none}'": { status: 0, out: 'bd\n' },
  "run -e OUTSIDE busybox sh -c 'echo $OUTSIDE'": { status: 0, env: { OUTSIDE: 'x y' }, out: 'x y\n' },
  "run -e OUTSIDE busybox sh -c 'echo ${OUTSIDE-none}'": { status: 0, out: 'none\n' },
  'run --env-file FOLDER/env -e B=2 busybox sh -c \'echo "$A,$B,$OUTSIDE"\'': {
    status: 0,
    env: { OUTSIDE: 'o' },
    out: '"quoted" # no comment,2,o\n',
  },
  'run --env-file FOLDER/none busybox': { status: 125, err: '/none: ENOENT' },

  // Which program, where, and as whom.
  'run --entrypoint echo busybox hi': { status: 0, out: 'hi\n' },
  "run --entrypoint '' busybox echo hi": { status: 0, out: 'hi\n' },
  'run -w /made/on/the/way busybox pwd': { status: 0, out: '/made/on/the/way\n' },
  'run -u nobody busybox id -u': { status: 0, out: '65534\n' },
  "run -u 12:34 busybox sh -c 'id -u; id -g'": { status: 0, out: '12\n34\n' },
  'run -u nosuch busybox id': { status: 125, err: 'nosuch' },

  // The machine.
  "run -m 64m busybox awk '/MemTotal/ { print $2 < 65536 }' /proc/meminfo": { status: 0, out: '1\n' },
  'run --cpus 1.5 busybox nproc': { status: 0, out: '2\n' },
  'run -h box busybox hostname': { status: 0, out: 'box\n' },
  'run --network none busybox ls /sys/class/net': { status: 0, out: 'lo\n' },
  'run --device /dev/fuse busybox ls /dev/fuse': { status: 0, out: '/dev/fuse\n' },
  "run -v FOLDER:/x:ro busybox sh -c 'grep -c quoted /x/env; touch /x/y'": {
    status: 1,
    out: '1\n',
    err: 'Read-only file system',
  },
  'run --read-only busybox touch /x': { status: 1, err: 'Read-only file system' },
  'run --read-only --tmpfs /x:size=1m busybox sh -c \'touch /x/y && df -k /x | awk "NR == 2 { print \\$2 }"\'':
    {
      status: 0,
      out: '1024\n',
    },
  "run --init busybox sh -c 'sleep 0.1 & readlink /proc/self/fd/9; cat /proc/1/comm'": {
    status: 0,
    out: /^(?!sh\n).+\n$/,
  },

  // Signals.
  [`run busybox sh -c '${READY}'`]: { status: 3, signal: 'SIGTERM', out: 'ready\ngot it\n' },
  [`run --rm busybox sh -c '${READY}'`]: { status: 3, signal: 'SIGINT', out: 'ready\ngot it\n' },
  "run --init busybox sh -c 'echo ready; sleep 100'": { status: 130, signal: 'SIGINT', out: 'ready\n' },

  // In the background.
  'run -d busybox true': { status: 0, out: /^[0-9a-f]{64}\n$/ },
  'run -d busybox nosuch': { status: 127, err: 'nosuch: not found' },

  // Variables are defaults.
  'run busybox': { status: 0, env: { LINUXRUN_ARGS: 'nproc', LINUXRUN_CPUS: '2' }, out: '2\n' },
  'run --cpus 1 busybox nproc': {
    status: 0,
    env: { LINUXRUN_CPUS: '2', LINUXRUN_ARGS: 'false' },
    out: '1\n',
  },
};

let linuxrun: Linuxrun;
const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  linuxrun = await Linuxrun.bundle();
  writeFileSync(
    join(linuxrun.folder, 'env'),
    '# comment\nA="quoted" # no comment\nB=1\nOUTSIDE\nNODE_OPTIONS=--bad\n',
  );
  // The image is stored once.
  await linuxrun.run('run -q busybox true');
  await linuxrun.run('run -q hello-world');
  const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  for (const [index, [line, given]] of Object.entries(TABLE).entries()) {
    const lane = index % AT_ONCE;
    const outcome = (lanes[lane] as Promise<void>).then(() => linuxrun.run(line, given));
    outcomes.set(line, outcome);
    lanes[lane] = outcome.then(
      () => {},
      () => {},
    );
  }
}, TIMEOUT);

afterAll(() => linuxrun.remove());

describe('linuxrun run', { timeout: TIMEOUT }, () => {
  test.each(Object.entries(TABLE))('%s', async (line, { status, out = '', err = '' }) => {
    const outcome = await outcomes.get(line);
    expect(outcome?.stderr).toContain(err);
    if (err === '') expect(outcome?.stderr).toBe('');
    expect(outcome?.status).toBe(status);
    if (typeof out === 'string') expect(outcome?.stdout).toBe(out);
    else expect(outcome?.stdout).toMatch(out);
  });
});
