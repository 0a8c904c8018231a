import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HeldImage } from '../oci/pull.ts';
import { OptionError } from '../options/option-error.mjs';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;

let container: ContainerMachine;

async function shell(script: string, user = 'root'): Promise<string> {
  const { stdin, stdout, stderr, messages } = container.exec({
    args: ['sh', '-c', `{ ${script}\n} 2>&1`],
    user,
  });
  await stdin.close();
  return (await Promise.all([stdout, stderr, messages].map(text))).join('');
}

beforeAll(async () => {
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  container = await start({
    image: new HeldImage({ ...image, config: { ...image.config, volumes: ['/data'] } }, []),
    args: ['sleep', '100000'],
    currentDir: '/made/here',
    readOnly: true,
    tmpfs: ['/tmp', '/new/folder:size=1m', '/exec:exec,mode=750,uid=65534,gid=65534', '/tmp/inner:ro'],
  });
});
afterAll(() => container?.destroy());

describe('a read-only root', { timeout: TIMEOUT }, () => {
  test.each(['touch /x', 'mkdir /x', 'rm /bin/sh', 'chmod 777 /etc', 'echo > /etc/passwd', 'rm /etc/hosts'])(
    'refuses `%s` to root',
    async (command) => {
      expect(await shell(command)).toMatch(/Read-only file system/);
    },
  );

  test.each(['-U -r -m', '-r -m', '-m'])('stays read-only for root with unshare %s', async (flags) => {
    const output = await shell(`unshare ${flags} sh -c 'mount -o remount,rw / && touch /x'`);
    expect(output).toMatch(/ermission denied|not permitted|Read-only/);
  });

  test('has writable places', async () => {
    expect(await shell('for f in /dev/shm /data /tmp /new/folder; do echo ok > $f/f && cat $f/f; done')).toBe(
      'ok\n'.repeat(4),
    );
    expect(await shell('echo x > /dev/null; ls -d /made/here; hostname; cat /etc/hostname')).toBe(
      '/made/here\nlinuxrun\nlinuxrun\n',
    );
  });

  test('is read-only for the host, too, which reads as ever', async () => {
    const write = (path: string) => container.files.writeFile(path, new Uint8Array([65]));
    await expect(write('/x')).rejects.toMatchObject({ code: 'EROFS' });
    await expect(container.files.mkdir('/x')).rejects.toMatchObject({ code: 'EROFS' });
    await expect(container.files.rm('/etc/passwd')).rejects.toMatchObject({ code: 'EROFS' });
    await write('/data/y');
    expect(await text(await container.files.readFile('/data/y'))).toBe('A');
  });
});

describe('a temporary file system', { timeout: TIMEOUT }, () => {
  test('has the defaults of Docker, and the permissions of the folder', async () => {
    expect(await shell('grep -E " /(tmp|new/folder) " /proc/mounts | cut -d, -f1-4')).toBe(
      'tmpfs /tmp tmpfs rw,nosuid,nodev,noexec\ntmpfs /new/folder tmpfs rw,nosuid,nodev,noexec\n',
    );
    expect(await shell('stat -c %a:%u /tmp /new/folder')).toBe('1777:0\n1777:0\n');
    expect(await shell('cp /bin/busybox /new/folder/b; /new/folder/b true')).toMatch(/ermission denied/);
  });

  test('has a size', async () => {
    const [error, size] = (
      await shell(
        'rm -f /new/folder/*; head -c 2000000 /dev/zero > /new/folder/big; stat -c %s /new/folder/big',
      )
    ).split('\n');
    expect([error, Number(size)]).toEqual([expect.stringMatching(/error|space/), 1 << 20]);
  });

  test('has the options that it is given, but never devices', async () => {
    expect(
      await shell('cp /bin/busybox /exec/busybox; /exec/busybox echo runs; stat -c %a:%u:%g /exec'),
    ).toBe('runs\n750:65534:65534\n');
    expect(await shell('mknod /exec/null c 1 3; echo > /exec/null')).toMatch(/ermission denied/);
    expect(await shell('touch /tmp/inner/x')).toMatch(/Read-only file system/);
  });

  test.each(['/x:dev', '/proc', 'relative', '/x:size=many'])(
    '%s is refused before the start',
    async (tmpfs) => {
      const image = pull(`${DEMO_IMAGES}:busybox`);
      await expect(start({ image, args: ['true'], tmpfs: [tmpfs] })).rejects.toThrow(OptionError);
    },
  );

  test('that Linux refuses is the reason for status 125', async () => {
    const failed = await start({ image: await pull(`${DEMO_IMAGES}:busybox`), tmpfs: ['/x:uid=9999999999'] });
    expect(await text(failed.messages)).toMatch(/\/x: invalid argument/);
    expect(await failed.exit).toBe(125);
    await failed.destroy();
  });
});
