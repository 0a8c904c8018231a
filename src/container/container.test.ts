import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readLayers } from '../disk/testing/images.ts';
import { writeLayout } from '../disk/testing/layout-writer.ts';
import { concat, type EntrySpec, end, entry } from '../disk/testing/tar-writer.ts';
import type { ImageConfig } from '../oci/image.ts';
import { HeldImage } from '../oci/pull.ts';
import { STOP_GRACE } from '../options/signals.ts';
import { nodeStore } from '../storage/node.ts';
import { illegalProgram } from './testing/illegal-program.ts';
import { DEMO_IMAGES, PUBLIC, pull, run, runNext, start, store, text } from './testing/run.ts';

const TIMEOUT = 120_000;

let busybox: HeldImage;

beforeAll(async () => {
  busybox = await pull(`${DEMO_IMAGES}:busybox`);
});

const scriptOf = (script: string) => ({ image: busybox, args: ['sh', '-c', script] });

const shell = (script: string, options: Partial<Parameters<typeof runNext>[0]> = {}, input = '') =>
  runNext({ ...scriptOf(script), ...options }, input);

type Entry = { path: string } & (
  | { type: 'symlink'; target: string }
  | { type: 'file'; contents?: Uint8Array }
);

/** Returns the image with a further layer of these entries. */
async function withLayer(...entries: readonly Entry[]): Promise<HeldImage> {
  const layout = join(store, 'layout');
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };
  const tar = concat(...entries.map((spec) => entry({ ...attributes, ...spec } as EntrySpec)), end());
  await writeLayout(layout, 'image', [...readLayers('busybox', join(PUBLIC, 'images')), tar]);
  const image = await pull(`oci://${layout}:image`);
  return new HeldImage({ ...image, config: busybox.config }, []);
}

/** Returns the image with another configuration. */
const configured = (config: Partial<ImageConfig>, image = busybox) =>
  new HeldImage({ ...image, config: { ...image.config, ...config } }, []);

/** A program with nothing but the name of its dynamic linker. */
function elfWithInterpreter(path: string): Buffer {
  const file = Buffer.alloc(64 + 56 + path.length + 1);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(243, 18); // EM_RISCV
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(1, 56); // e_phnum
  file.writeUInt32LE(3, 64); // PT_INTERP
  file.writeBigUInt64LE(120n, 72);
  file.writeBigUInt64LE(BigInt(path.length + 1), 96);
  file.write(path, 120);
  return file;
}

describe('streams and status', { timeout: TIMEOUT }, () => {
  test('hello-world prints its greeting', async () => {
    const result = await run({ image: pull(`${DEMO_IMAGES}:hello-world`) });
    expect(result).toMatchObject({ status: 0, stderr: '', messages: '' });
    expect(result.stdout).toMatch(/^Hello from LinuxRun!\n/);
  });

  test.each([false, true])('it tells whether its program runs, with an init: %s', async (init) => {
    const image = () => pull(`${DEMO_IMAGES}:busybox`);
    const silent = await start({ image: image(), args: ['sleep', '1000'], init });
    expect(await silent.started).toBe(true);
    await silent.destroy();
    const missing = await start({ image: image(), args: ['/no/such'], init });
    expect(await missing.started).toBe(false);
    expect(await missing.exit).toBe(127);
    await missing.destroy();
  });

  test('input, output and errors are three streams, which are also in /dev', async () => {
    const script = 'cat; echo out > /dev/stdout; echo err > /dev/stderr; tr a-z A-Z < /dev/stdin; exit 7';
    expect(await shell(script, {}, 'in\n')).toEqual({
      status: 7,
      stdout: 'in\nout\n',
      stderr: 'err\n',
      messages: '',
    });
  });

  test('are in /dev for another user, too', async () => {
    const script = `su nobody -s /bin/sh -c 'id -un; tr a-z A-Z < /dev/stdin > /dev/stdout; echo err > /dev/stderr'`;
    expect(await shell(script, {}, 'in\n')).toEqual({
      status: 0,
      stdout: 'nobody\nIN\n',
      stderr: 'err\n',
      messages: '',
    });
  });

  test('all bytes pass, complete and in order', async () => {
    const input = Buffer.alloc(3 << 20, 'The quick brown fox jumps over the lazy dog.\n').toString();
    const { stdout, status } = await shell('cat', {}, input);
    expect(stdout === input).toBe(true);
    expect(status).toBe(0);
  });

  test.each([
    ['a program that is not there', ['no-such-program'], 127, /no-such-program: not found/],
    ['a path that is not there', ['/no/such'], 127, /not found/],
    ['a folder', ['/tmp'], 126, /permission denied/],
    ['a file that may not be run', ['/etc/passwd'], 126, /permission denied/],
    ['a signal', ['sh', '-c', "sh -c 'kill -SEGV $$'; exit $?"], 139, /^$/],
  ])('%s', async (_, args, status, messages) => {
    const result = await runNext({ image: busybox, args });
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.messages).toMatch(messages);
  });

  test('a writer waits for its reader, and uses no memory meanwhile', async () => {
    const container = await start({ image: busybox, args: ['dd', 'if=/dev/zero', 'bs=100k', 'count=1000'] });
    const reader = container.stdout.getReader();
    // The machine itself takes memory until then.
    let received = (await reader.read()).value?.length ?? 0;
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(process.memoryUsage().rss - before).toBeLessThan(50 << 20);
    for (let next = await reader.read(); next.value; next = await reader.read())
      received += next.value.length;
    expect(received).toBe(102_400_000);
    expect(await container.exit).toBe(0);
    await container.destroy();
  });

  test('a reader that leaves ends the writer with SIGPIPE', async () => {
    const container = await start({ image: busybox, args: ['sh', '-c', 'yes; echo $? >&2'] });
    const reader = container.stdout.getReader();
    await reader.read();
    await reader.cancel();
    expect(await text(container.stderr)).toMatch(/141|1\n/);
    await container.destroy();
  });
});

describe('signals', { timeout: TIMEOUT }, () => {
  async function trapping(signal: string, image: HeldImage = busybox) {
    const script = `trap 'echo got ${signal}; exit 5' ${signal}; echo ready; while :; do sleep 0.1; done`;
    const container = await start({ image, args: ['sh', '-c', script] });
    const reader = container.stdout.getReader();
    await reader.read();
    return { container, reader };
  }

  test('reach the first process, which may handle them', async () => {
    const { container, reader } = await trapping('HUP');
    container.kill(1);
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('got HUP\n');
    expect(await container.exit).toBe(5);
    await container.destroy();
  });

  test('stop sends the image’s signal', async () => {
    const { container } = await trapping('QUIT', configured({ stopSignal: 'SIGQUIT' }));
    await container.stop();
    expect(await container.exit).toBe(5);
    await container.destroy();
  });

  test('stop kills a first process that ignores the signal, as one without a handler does', async () => {
    const container = await start({ image: busybox, args: ['sleep', '1000'] });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const stopped = container.stop();
    await vi.advanceTimersByTimeAsync(STOP_GRACE - 1);
    // The machine has answered after the signal, so the process has got it.
    await container.usage();
    expect(await Promise.race([container.exit, 'running'])).toBe('running');
    await vi.advanceTimersByTimeAsync(1);
    await stopped;
    expect(await container.exit).toBe(137);
    vi.useRealTimers();
    await container.destroy();
  });
});

describe('the inside', { timeout: TIMEOUT }, () => {
  test('is a system of its own', async () => {
    const script =
      'echo $$; hostname; cat /proc/self/cgroup; ls /proc | grep -c "^[0-9]"; cat /etc/hosts; ls -A /run 2>&1; ' +
      'grep CapEff /proc/self/status; cut -d" " -f2 /proc/mounts; mount -t tmpfs x /tmp 2>&1';
    const { stdout } = await run({ ...scriptOf(script), hostname: 'box', network: undefined });
    const lines = stdout.split('\n');
    expect(lines.slice(0, 3)).toEqual(['1', 'box', '0::/']);
    expect(Number(lines[3])).toBeLessThan(6);
    expect(stdout).toContain('127.0.1.1\tbox\n');
    expect(stdout).toContain('CapEff:\t00000000a80425fb\n');
    for (const path of [
      '/',
      '/proc',
      '/sys',
      '/sys/fs/cgroup',
      '/dev',
      '/dev/pts',
      '/dev/shm',
      '/dev/mqueue',
    ])
      expect(lines).toContain(path);
    expect(stdout).toContain('permission denied');
  });

  test('has the environment, folder and volumes of image and user', async () => {
    const image = configured({
      env: ['A=image', 'B=image', 'PATH=/bin'],
      workingDir: '/made/here',
      volumes: ['/data/x', '/var'],
    });
    const { stdout } = await shell('pwd; ls -d /data/x; env | grep -v SHLVL | grep -v PWD | sort', {
      image,
      env: ['B=user', 'C=1=2'],
    });
    expect(stdout.split('\n')).toEqual([
      ...['/made/here', '/data/x'],
      ...['A=image', 'B=user', 'C=1=2', 'HOME=/root', 'HOSTNAME=linuxrun', 'PATH=/bin', ''],
    ]);
  });

  test('makes its folder and volumes where links of the image lead', async () => {
    const linked = await withLayer(
      { path: 'wd', type: 'symlink', target: '/nowhere/yet' },
      { path: 'var/run', type: 'symlink', target: '../run/links' },
      { path: 'run/links', type: 'symlink', target: 'a/./b' },
    );
    const image = configured({ workingDir: '/wd/sub', volumes: ['/var/run/app'] }, linked);
    const { stdout, messages } = await shell('pwd -P; readlink /wd; ls -d /run/a/b/app', { image });
    expect([stdout, messages]).toEqual(['/nowhere/yet/sub\n/nowhere/yet\n/run/a/b/app\n', '']);
  });

  test('cannot start with a volume below links in a circle, or a file', async () => {
    const image = await withLayer(
      { path: 'a', type: 'symlink', target: 'b' },
      { path: 'b', type: 'symlink', target: 'a/c' },
      { path: 'f', type: 'file' },
    );
    for (const [volume, reason] of [
      ['/a/x', 'too many symbolic links'],
      ['/f/x', 'not a directory'],
    ] as const) {
      const result = await shell('true', { image: configured({ volumes: [volume] }, image) });
      expect(result).toMatchObject({ status: 125, messages: `LinuxRun: ${volume}: ${reason}\n` });
    }
  });

  test('names the missing interpreter of a script or a program', async () => {
    const programs: Readonly<Record<string, readonly [contents: string | Buffer, missing: RegExp]>> = {
      script: ['#! /no/such -x\n', /its interpreter \/no\/such is not found$/],
      crlf: ['#!/bin/sh\r\necho\r\n', /its lines end in CRLF, so its interpreter \/bin\/sh is not/],
      indirect: ['#!/strange\n', /its interpreter \/no\/such\?\[1m is not found$/],
      elf: [elfWithInterpreter('/lib/ld-none.so.1'), /its interpreter \/lib\/ld-none\.so\.1 is not/],
    };
    const image = await withLayer(
      ...Object.entries(programs).map(([path, [contents]]) => ({
        ...{ path, type: 'file' as const },
        contents: Buffer.from(contents),
      })),
      { path: 'strange', type: 'file', contents: Buffer.from('#!/no/such\x1b[1m\n') },
    );
    for (const [name, [, missing]] of Object.entries(programs))
      for (const options of [
        { args: [`/${name}`] },
        { args: [name], env: ['PATH=/bin:/:/sbin'] },
        { args: [`/${name}`], user: 'nobody' },
      ]) {
        const { status, messages } = await runNext({ image, ...options });
        expect([name, status]).toEqual([name, 127]);
        expect(messages.trimEnd()).toMatch(missing);
        expect(messages).toMatch(new RegExp(`^LinuxRun: /?${name}: `));
      }
  });

  test.each([
    ['', 'uid=0(root) gid=0(root)', '/root'],
    ['nobody', 'uid=65534(nobody) gid=65534(nogroup)', '/'],
    ['65534', 'uid=65534(nobody) gid=65534(nogroup)', '/'],
    ['nobody:tty', 'uid=65534(nobody) gid=5(tty)', '/'],
    ['1000:1001', 'uid=1000 gid=1001', '/'],
    ['1000', 'uid=1000 gid=0(root)', '/'],
  ])('user "%s"', async (user, identity, home) => {
    const { stdout, stderr } = await shell('id; echo $HOME; echo err > /dev/stderr', { user });
    const [id = '', directory] = stdout.split('\n');
    expect(id.startsWith(identity)).toBe(true);
    expect([directory, stderr]).toEqual([home, 'err\n']);
  });

  test.each(['nosuchuser', 'root:nosuchgroup', '99999999999'])('user "%s" does not exist', async (user) => {
    const result = await shell('true', { user });
    expect(result.status).toBe(125);
    expect(result.messages).toMatch(/has no (user|group)/);
  });

  test('changes files as on any disk, and detects a full disk', async () => {
    const script =
      'rm /bin/vi && ln -s x /bin/vi && chmod 700 /etc/passwd && echo more >> /etc/group && mv /home /house && ' +
      'tail -n 1 /etc/group && ls -d /house && readlink /bin/vi; dd if=/dev/zero of=/big bs=1M; echo full $?; ' +
      'rm /big; echo more > /small && cat /small';
    const { stdout, stderr, status } = await run({ ...scriptOf(script), diskBytes: 32 << 20 });
    expect(stdout).toBe('more\n/house\nx\nfull 1\nmore\n');
    expect(stderr).toContain('No space left on device');
    expect(status).toBe(0);
  });

  test('keeps many and strange files', async () => {
    const script = `
set -e
mkdir /t; cd /t
i=0; while [ $i -lt 1000 ]; do echo $i > f$i; i=$((i + 1)); done
cat f* | awk '{ sum += $1 } END { print sum }'
rm f1*; ls | wc -l
long=$(printf '%0255d' 0); echo long > $long; cat $long
bytes=$(printf 'b\\377\\001'); echo bytes > "$bytes"; printf %s b* | od -An -tx1
ln f2 link; ln link link2; stat -c %h f2; echo more >> link2; wc -l < f2
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000000 2> /dev/null; stat -c %s sparse; du -k sparse | cut -f1
deep=.; i=0; while [ $i -lt 100 ]; do deep=$deep/d; i=$((i + 1)); done; mkdir -p $deep; echo deep > $deep/f; cat $deep/f
mkfifo fifo; ln -s loop loop; cat loop 2>&1 || true
cp -a /bin /copy; cmp /bin/busybox /copy/busybox && echo same
mv /bin/busybox /t/busybox; /t/busybox mv /t/busybox /bin/busybox; ls -l /bin/sh | cut -c1
mv /etc /etc2; /bin/busybox mkdir /etc; ls -A /etc; rmdir /etc; mv /etc2 /etc; head -c 4 /etc/passwd; echo
touch -d '2001-02-03 04:05:06' f3; chown 12:34 f3; chmod 4755 f3; stat -c '%f %u %g %Y' f3
rm -r /copy /usr /t/d; sync; ls -d /usr 2>&1 || true`;
    const { stdout, stderr, status } = await shell(script);
    expect(stdout.split('\n')).toEqual([
      ...['499500', '889', 'long', ' 62 ff 01', '3', '2', '1000000001', '4', 'deep'],
      ...["cat: can't open 'loop': Too many levels of symbolic links", 'same', 'l', 'root'],
      ...['89ed 12 34 981173106', 'ls: /usr: No such file or directory', ''],
    ]);
    expect([stderr, status]).toEqual(['', 0]);
  });

  test('lets any user serve port 80', async () => {
    const script =
      'sleep 2 | nc -l -p 80 > /tmp/got & sleep 0.3; echo hi | nc 127.0.0.1 80; wait; cat /tmp/got; id -u';
    const { stdout } = await shell(script, { user: 'nobody' });
    expect(stdout).toBe('hi\n65534\n');
  });

  test('has no way out through a working directory among open files', async () => {
    for (let descriptor = 3; descriptor < 16; descriptor++) {
      const image = configured({ workingDir: `/proc/self/fd/${descriptor}` });
      const { status, stdout } = await shell('pwd; ls', { image });
      expect([status, stdout]).toEqual([125, '']);
    }
  });

  test('says what an illegal instruction means', async () => {
    const elf = illegalProgram('riscv64').toString('base64');
    const start = `echo ${elf} | base64 -d > /x; chmod +x /x;`;
    const message =
      /^LinuxRun: a program used an instruction that this machine does not have \(SIGILL\);.*RVA23U64/;
    for (const end of ['exec /x', '/x; exit $?']) {
      const { status, messages } = await shell(`${start} ${end}`);
      expect(status).toBe(132);
      expect(messages).toMatch(message);
    }
    expect((await shell(`${start} /x; echo $?`)).messages).toBe('');
  });

  test('reports when memory runs out', async () => {
    const script = 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done';
    const result = await run({ ...scriptOf(script), memoryBytes: 64 << 20 });
    expect(result.status).not.toBe(0);
    expect(result.messages).toMatch(/ran out of memory: 1 process was killed/);
  });
});

describe('a terminal', { timeout: TIMEOUT }, () => {
  test('is one stream, with a changing size and control characters', async () => {
    const container = await start({
      image: busybox,
      args: ['sh'],
      terminal: { columns: 100, rows: 30, type: 'vt100' },
    });
    let screen = '';
    const reading = container.stdout.pipeTo(
      new WritableStream({
        write: (bytes) => {
          screen += Buffer.from(bytes).toString();
        },
      }),
    );
    const keyboard = container.stdin.getWriter();
    const type = (keys: string) => keyboard.write(Buffer.from(keys));
    const shown = (pattern: RegExp) => expect.poll(() => screen, { timeout: 30_000 }).toMatch(pattern);
    await type('stty size; tty; echo $TERM; echo ü > /dev/console\n');
    await shown(/30 100\r\n\/dev\/pts\/0\r\nvt100\r\nü\r\n/);
    // Backspace removes all bytes of a character.
    await type('echo re""ady; read x; echo "<$x>" | od -c\n');
    await shown(/ready/);
    await type('aе\x7fb\n');
    await shown(/0000000 {3}< {3}a {3}b {3}> {2}\\n\r\n/);
    container.resize(132, 43);
    await type('sleep 0.2; stty size\n');
    await shown(/43 132\r\n/);
    await type(`sh -c 'trap "echo a""gain" CONT; echo go""ing; while :; do sleep 0.1; done'\n`);
    await shown(/going/);
    await type('\x1a');
    await shown(/Stopped/);
    await type('fg\n');
    await shown(/again/);
    await type('\x03');
    await type('echo status $?\n');
    await shown(/status 130\r\n/);
    expect(await text(container.stderr)).toBe('');
    await type('exit 4\n');
    expect(await container.exit).toBe(4);
    await reading;
    await container.destroy();
  });
});

describe('failures', { timeout: TIMEOUT }, () => {
  test('of the image end the machine', async () => {
    const image = pull(`${DEMO_IMAGES}:nothing`);
    await expect(run({ image })).rejects.toThrow(/there is no image/);
  });

  test('of the options are reported before anything else', async () => {
    await expect(start({ image: busybox, diskBytes: 1000 })).rejects.toThrow(/16M to 64G/);
    await expect(start({ image: busybox, diskBytes: (16 << 20) + 512 })).rejects.toThrow(/steps of 4096/);
    await expect(run({ image: busybox, entrypoint: [] })).rejects.toThrow(/no program/);
    await expect(run({ image: configured({ stopSignal: 'SIGX' }) })).rejects.toThrow(/signal/);
  });

  test('report a missing layer', async () => {
    const image = new HeldImage({ ...busybox, layers: [`sha256:${'0'.repeat(64)}`] }, []);
    await expect(run({ image })).rejects.toThrow(/not stored any more/);
  });

  test('no other user of the store evicts the image before the machine has it', async () => {
    const store = mkdtempSync(join(tmpdir(), 'linuxrun-shared-'));
    try {
      const image = await pull(`${DEMO_IMAGES}:hello-world`, store);
      const other = nodeStore(store);
      expect(await other.layers.evict(Number.POSITIVE_INFINITY)).toBe(0);
      expect(await run({ image, store })).toMatchObject({ status: 0 });
    } finally {
      rmSync(store, { recursive: true });
    }
  });

  test('an abort is possible at any time', async () => {
    const abort = new AbortController();
    const never = new Promise<HeldImage>(() => {});
    const starting = start({ image: never, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(starting).rejects.toThrow('enough');
  });
});
