import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HeldImage } from '../oci/pull.ts';
import type { ContainerMachine, ExecOptions } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;

let image: HeldImage;
let container: ContainerMachine;

beforeAll(async () => {
  image = await pull(`${DEMO_IMAGES}:busybox`);
  container = await start({
    image,
    args: ['sleep', '100000'],
    env: ['A=container', 'B=container'],
    currentDir: '/work',
  });
});
afterAll(() => container?.destroy());

async function exec(options: ExecOptions, input = '', inside = container) {
  const process = inside.exec(options);
  const stdin = process.stdin.getWriter();
  stdin.write(Buffer.from(input)).catch(() => {});
  stdin.close().catch(() => {});
  const [stdout, stderr, messages, status] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    text(process.messages),
    process.exit,
  ]);
  return { status, stdout, stderr, messages };
}

const shell = (script: string, options: Partial<ExecOptions> = {}, input = '') =>
  exec({ args: ['sh', '-c', script], ...options }, input);

describe('a further process', { timeout: TIMEOUT }, () => {
  test('has streams and a status of its own', async () => {
    const script = 'cat; echo out > /dev/stdout; echo err > /dev/stderr; exit 7';
    expect(await shell(script, {}, 'in\n')).toEqual({
      status: 7,
      stdout: 'in\nout\n',
      stderr: 'err\n',
      messages: '',
    });
  });

  test('is in the container', async () => {
    const namespaces = 'for n in ipc mnt net pid uts; do readlink /proc/$1/ns/$n; done';
    const script = `
readlink /proc/1/exe; set -- self; a=$(${namespaces}); set -- 1; b=$(${namespaces}); [ "$a" = "$b" ] && echo same
cat /proc/self/cgroup; grep -E 'Cap(Eff|Bnd|Amb)' /proc/self/status; cat /proc/self/oom_score_adj; ls /proc/self/fd | wc -l
umask; readlink /proc/self/root; ulimit -n; grep SigBlk /proc/self/status`;
    const { stdout } = await shell(script);
    expect(stdout.split('\n')).toEqual([
      ...['/bin/busybox', 'same', '0::/', 'CapEff:\t00000000a80425fb', 'CapBnd:\t00000000a80425fb'],
      ...['CapAmb:\t0000000000000000', '0', '4', '0022', '/', '1024', 'SigBlk:\t0000000000000000', ''],
    ]);
  });

  test('has the environment, folder and user of the container by default', async () => {
    const script = 'echo $A $B $C $HOME $TERM; pwd; id -un; readlink /proc/self/cwd';
    expect((await shell(script)).stdout).toBe('container container /root\n/work\nroot\n/work\n');
    const options = { env: ['B=exec', 'C=exec'], currentDir: '/tmp', user: 'nobody' };
    expect((await shell(script, options)).stdout).toBe('container exec exec /\n/tmp\nnobody\n/tmp\n');
  });

  test.each<[string, ExecOptions, number, RegExp]>([
    ['a program that is not there', { args: ['no-such-program'] }, 127, /no-such-program: not found/],
    ['a path that is not there', { args: ['/no/such'] }, 127, /not found/],
    ['no name', { args: [''] }, 127, /not found/],
    ['no program at all', { args: [] }, 126, /malformed/],
    ['a folder', { args: ['/tmp'] }, 126, /permission denied/],
    ['a user who is not there', { args: ['id'], user: 'nosuchuser' }, 126, /has no user/],
    ['a group that is not there', { args: ['id'], user: 'root:nosuch' }, 126, /has no group/],
    ['a working directory that is not there', { args: ['id'], currentDir: '/no' }, 126, /no such file/],
    ['no folder as working directory', { args: ['id'], currentDir: '/etc/passwd' }, 126, /not a directory/],
  ])('%s', async (_, options, status, messages) => {
    const result = await exec(options);
    expect(result).toMatchObject({ status, stdout: '', stderr: '' });
    expect(result.messages).toMatch(messages);
  });

  test('finds no way out of the container through an open folder of init', async () => {
    for (let descriptor = 3; descriptor < 40; descriptor++) {
      const { status, stdout } = await exec({ args: ['pwd'], currentDir: `/proc/self/fd/${descriptor}` });
      expect([status, stdout]).toEqual([126, '']);
    }
  });

  test('gets signals', async () => {
    const process = container.exec({
      args: ['sh', '-c', 'trap "echo got; exit 5" USR1; echo ready; while :; do sleep 0.1; done'],
    });
    const reader = process.stdout.getReader();
    await reader.read();
    process.kill(10);
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('got\n');
    expect(await process.exit).toBe(5);
    const sleeping = container.exec({ args: ['sleep', '1000'] });
    sleeping.kill(15);
    expect(await sleeping.exit).toBe(128 + 15);
    expect((await shell('kill -SEGV $$')).status).toBe(128 + 11);
  });

  describe('is killed with its descendants', () => {
    /** The container's first process is one of them. It reaps no orphans, which remain as zombies. */
    const sleepers = async () =>
      Number((await shell("cat /proc/[0-9]*/stat 2> /dev/null | grep -c '(sleep) [^Z]'")).stdout);
    /** A child, a daemon by setsid, one by a double fork, and a process that forks all the time. */
    const family = `sleep 1000 & setsid sleep 1000 < /dev/null > /dev/null 2>&1 &
(setsid sh -c '(sleep 1000 > /dev/null 2>&1 < /dev/null &)' &)
(trap "" TERM HUP INT; while :; do sh -c 'sleep 1000 & sleep 0.01'; done) > /dev/null 2>&1 & sleep 1; echo ready;`;

    test.each([
      ['while it runs', 'exec sleep 1000', 137],
      ['when it has ended', 'exit 3', 3],
    ])('%s', async (_, end, expected) => {
      const process = container.exec({ args: ['sh', '-c', `${family} ${end}`], user: 'root' });
      await process.stdout.getReader().read();
      if (expected !== 137) expect(await process.exit).toBe(expected);
      expect(await sleepers()).toBeGreaterThan(4);
      process.killAll();
      expect(await process.exit).toBe(expected);
      await expect.poll(sleepers).toBe(1);
    });

    test('before it has started', async () => {
      const processes = Array.from({ length: 20 }, () =>
        container.exec({ args: ['sh', '-c', 'setsid sleep 1000 &'] }),
      );
      for (const process of processes) process.killAll();
      await Promise.all(processes.map(({ exit }) => exit));
      await expect.poll(sleepers).toBe(1);
    });

    test('alone', async () => {
      const other = container.exec({ args: ['sh', '-c', 'echo; read line; exit 5'] });
      await other.stdout.getReader().read();
      const process = container.exec({ args: ['sleep', '1000'] });
      await process.started;
      process.killAll();
      expect(await process.exit).toBe(137);
      await other.stdin.close();
      expect(await other.exit).toBe(5);
    });
  });

  test('does not wait for background processes, which may continue to write', async () => {
    const script = 'mkfifo /tmp/go; (read line < /tmp/go; echo late) & echo early';
    const process = container.exec({ args: ['sh', '-c', script], user: 'root' });
    expect(await process.exit).toBe(0);
    await shell('echo > /tmp/go', { user: 'root' });
    expect(await text(process.stdout)).toBe('early\nlate\n');
  });

  test('has delivered any amount of output when its end is reported', async () => {
    const process = container.exec({ args: ['sh', '-c', 'dd if=/dev/zero bs=1k count=300; sleep 1000 &'] });
    const [status, stdout] = await Promise.all([
      process.exit,
      (async () => {
        const reader = process.stdout.getReader();
        let length = 0;
        while (length < 300 << 10) length += (await reader.read()).value?.length ?? 0;
        return length;
      })(),
    ]);
    expect([status, stdout]).toEqual([0, 300 << 10]);
    await shell('kill $(pidof sleep | tr " " "\\n" | grep -v "^1$")');
  });

  test('carries large data both ways without loss', async () => {
    const input = Buffer.alloc(3 << 20, 'The quick brown fox jumps over the lazy dog.\n').toString();
    expect((await shell('cat', {}, input)).stdout === input).toBe(true);
  });
});

describe('many processes', { timeout: TIMEOUT }, () => {
  test('one after the other leave nothing behind', async () => {
    const state = async () => {
      const { stdout } = await shell(
        'set -- /proc/[0-9]*; echo $#; read files rest < /proc/sys/fs/file-nr; echo $files',
      );
      return stdout.split('\n').map(Number);
    };
    await state();
    const [processes = 0, files = 0] = await state();
    const memory = (await container.usage()).memory.availableBytes;
    for (let i = 0; i < 200; i++) expect((await exec({ args: ['echo', `${i}`] })).stdout).toBe(`${i}\n`);
    // Relays may still be ending, also those of earlier processes when the others began.
    await expect
      .poll(async () => {
        const [now = 0, open = 0] = await state();
        return now <= processes && open <= files;
      })
      .toBe(true);
    expect(memory - (await container.usage()).memory.availableBytes).toBeLessThan(8 << 20);
  });

  test('tell when their program runs, and that it cannot', async () => {
    const silent = container.exec({ args: ['sleep', '100'] });
    expect(await silent.started).toBe(true);
    silent.kill(9);
    expect(await silent.exit).toBe(137);
    for (const args of [['true'], ['sh', '-c', 'exit 127']])
      expect(await container.exec({ args }).started).toBe(true);
    for (const options of [
      { args: ['/no/such'] },
      { args: ['/etc'] },
      { args: ['true'], user: 'nobody-here' },
    ])
      expect(await container.exec(options).started).toBe(false);
  });

  test('use CPU time, which the usage shows', async () => {
    const idleShare = async (process: Promise<unknown>) => {
      const before = (await container.usage()).cpu;
      await process;
      const after = (await container.usage()).cpu;
      expect(after.uptime).toBeGreaterThan(before.uptime);
      return (after.idle - before.idle) / (after.uptime - before.uptime);
    };
    expect(await idleShare(exec({ args: ['sleep', '2'] }))).toBeGreaterThan(0.5);
    const busy = 'end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done';
    expect(await idleShare(shell(busy))).toBeLessThan(0.3);
  });

  test('run at the same time', async () => {
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) => shell(`cat; exit ${i}`, {}, `${i}`)),
    );
    expect(results.map(({ stdout, status }) => [stdout, status])).toEqual(results.map((_, i) => [`${i}`, i]));
  });

  test('beyond the limit are refused, and no others are affected', async () => {
    const results = await Promise.all(Array.from({ length: 300 }, () => exec({ args: ['sleep', '2'] })));
    const statuses = results.map(({ status }) => status);
    for (const { status, messages } of results)
      expect(messages).toBe(status === 0 ? '' : 'LinuxRun: too many processes\n');
    const counts = [0, 126].map((status) => statuses.filter((each) => each === status).length);
    expect(counts[0]).toBeGreaterThanOrEqual(255);
    expect((counts[0] as number) + (counts[1] as number)).toBe(300);
    expect((await shell('echo well')).stdout).toBe('well\n');
  });

  test('may end each other, but nothing outside', async () => {
    const { stdout, exit } = container.exec({ args: ['sh', '-c', 'echo; sleep 1000'] });
    await stdout.getReader().read();
    // Linux spares the sender and the first process of the container.
    expect((await shell('kill -9 -1; echo left')).stdout).toBe('left\n');
    expect(await exit).toBe(137);
    expect((await shell('echo well')).stdout).toBe('well\n');
  });
});

describe('a terminal', { timeout: TIMEOUT }, () => {
  const terminal = { columns: 100, rows: 30, type: 'vt100' };

  test('of its own has a changing size and control characters', async () => {
    const process = container.exec({ args: ['sh'], terminal });
    let screen = '';
    const reading = process.stdout.pipeTo(
      new WritableStream({
        write: (bytes) => {
          screen += Buffer.from(bytes).toString();
        },
      }),
    );
    const keyboard = process.stdin.getWriter();
    const type = (keys: string) => keyboard.write(Buffer.from(keys));
    const shown = (pattern: RegExp) => expect.poll(() => screen, { timeout: 30_000 }).toMatch(pattern);
    await type('stty size; tty; echo $TERM; ls -l $(tty)\n');
    await shown(/30 100\r\n\/dev\/pts\/0\r\nvt100\r\ncrw--w---- +1 root +tty /);
    process.resize(132, 43);
    await type('sleep 0.2; stty size\n');
    await shown(/43 132\r\n/);
    await type('(echo go""ing; exec sleep 1000)\n');
    await shown(/going/);
    await type('\x03');
    await type('echo status $?\n');
    await shown(/status 130\r\n/);
    await type('exit 4\n');
    expect(await process.exit).toBe(4);
    await reading;
  });

  test('shows the last output of a program', async () => {
    for (let i = 0; i < 30; i++) {
      const { stdout } = await exec({ args: ['echo', `line ${i}`], terminal });
      expect(stdout).toBe(`line ${i}\r\n`);
    }
  });

  test('is available to many processes at the same time', async () => {
    const processes = Array.from({ length: 20 }, () => {
      const process = container.exec({ args: ['sh', '-c', 'tty; read line'], terminal, user: 'nobody' });
      return { process, screen: process.stdout.getReader() };
    });
    const names = processes.map(async ({ screen }) =>
      Buffer.from((await screen.read()).value ?? []).toString(),
    );
    expect(new Set(await Promise.all(names)).size).toBe(20);
    for (const { process } of processes) process.kill(1);
    const statuses = await Promise.all(processes.map(({ process }) => process.exit));
    expect(statuses).toEqual(Array(20).fill(128 + 1));
  });
});

describe('the end of the container', { timeout: TIMEOUT }, () => {
  test('is the end of all its processes', async () => {
    const short = await start({ image, args: ['cat'] });
    const processes = Array.from({ length: 5 }, () => short.exec({ args: ['sh', '-c', 'echo; sleep 1000'] }));
    await Promise.all(processes.map(({ stdout }) => stdout.getReader().read()));
    await short.stdin.close();
    expect(await short.exit).toBe(0);
    expect(await Promise.all(processes.map(({ exit }) => exit))).toEqual(Array(5).fill(137));
    const late = await exec({ args: ['true'] }, '', short);
    expect(late).toMatchObject({ status: 126, messages: expect.stringMatching(/does not run/) });
    await expect(short.files.readFile('/etc/passwd')).rejects.toThrow(/does not run/);
    await expect(short.files.writeFile('/x', new Uint8Array())).rejects.toThrow(/does not run/);
    await short.destroy();
    await expect(short.exec({ args: ['true'] }).exit).rejects.toThrow(/stopped/);
    await expect(short.usage()).rejects.toThrow(/stopped/);
    await expect(short.files.readFile('/etc/passwd')).rejects.toThrow(/stopped/);
    await expect(short.files.writeFile('/x', new Uint8Array())).rejects.toThrow(/stopped/);
  });

  test('a process that is started before the container is ready waits for it', async () => {
    const early = await start({ image, args: ['sh', '-c', 'sleep 100000'], hostname: 'early' });
    expect((await exec({ args: ['hostname'] }, '', early)).stdout).toBe('early\n');
    await early.destroy();
  });

  test('that was never made ends its processes', async () => {
    const none = await start({ image, args: ['no-such-program'] });
    const { status, messages } = await exec({ args: ['sleep', '1000'] }, '', none);
    // It may have started before the first process found that there is no program.
    expect(`${status} ${messages}`).toMatch(/^126 .*(does not run|has ended)|^137 $/);
    await none.destroy();
  });
});
