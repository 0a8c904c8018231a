import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ChannelMessage, SocketChannel } from '../api/channel.ts';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const HELPER = '/run/linuxrun/linuxrun-channel';

let container: ContainerMachine;
let next = 0;

/** Runs a script in which $C is the helper with the name of the channel. */
function run(name: string, script: string, user = 'root', inside = container) {
  const args = ['sh', '-c', `C="${HELPER} ${name}"\n{ ${script}\n} 2>&1`];
  return inside.exec({ args, user });
}

async function shell(name: string, script: string, user?: string): Promise<string> {
  const { stdin, stdout, messages } = run(name, script, user);
  await stdin.close();
  return (await Promise.all([stdout, messages].map(text))).join('');
}

function open() {
  const name = `c${next++}`;
  const channel = new SocketChannel(container.listen(name));
  const reader = channel.messages.getReader();
  const take = async (): Promise<ChannelMessage> => {
    const { value } = await reader.read();
    if (!value) throw new Error('the messages have ended');
    return value;
  };
  return { name, channel, take, reader };
}

beforeAll(async () => {
  container = await start({
    image: await pull(`${DEMO_IMAGES}:busybox`),
    args: ['sleep', '100000'],
    readOnly: true,
    init: true,
  });
});
afterAll(() => container?.destroy());

describe('a channel', { timeout: TIMEOUT }, () => {
  test.each(['root', 'nobody'])('passes on lines of %s as messages, and replies as lines', async (user) => {
    const { name, take, channel } = open();
    const output = shell(name, 'printf \'one\\n\\n{"a":1}\\nlast\' | $C', user);
    const messages = [await take(), await take(), await take(), await take()];
    expect(messages.map((message) => message.text())).toEqual(['one', '', '{"a":1}', 'last']);
    for (const message of messages) await message.reply(Buffer.from(`${message.text()}!`));
    expect(await output).toBe('one!\n!\n{"a":1}!\nlast!\n');
    await channel[Symbol.asyncDispose]();
  });

  test('sends to all clients, and takes messages of one line each', async () => {
    const { name, take, channel } = open();
    const outputs = [1, 2, 3].map(() => shell(name, '$C send ready; $C recv'));
    for (let i = 0; i < 3; i++) expect((await take()).text()).toBe('ready');
    const clients = run(name, '$C');
    clients.stdin.getWriter().write(Buffer.from('in\n'));
    expect((await take()).text()).toBe('in');
    let isReceived = false;
    void Promise.all(outputs).then(() => {
      isReceived = true;
    });
    // Some may not be connected yet.
    while (!isReceived) {
      await channel.send({ go: ['on', 1] });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await Promise.all(outputs)).toEqual(Array(3).fill('{"go":["on",1]}\n'));
    clients.kill(9);
    await channel[Symbol.asyncDispose]();
  });

  test('carries large messages both ways, with back-pressure', async () => {
    const { name, take, channel } = open();
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x | $C | tee /dev/shm/got | wc -c; rm /dev/shm/got';
    const output = shell(name, script);
    const message = await take();
    expect(message.bytes.length).toBe(3_000_000);
    await message.reply(new Uint8Array(2_000_000).fill(65));
    expect(await output).toBe('2000001\n');
    // Nobody reads: the writer waits.
    const writer = run(name, 'yes 0123456789 | head -c 30000000 | $C');
    const ended = writer.exit.then(() => 'ended');
    const later = new Promise((resolve) => setTimeout(() => resolve('waits'), 1500));
    expect(await Promise.race([ended, later])).toBe('waits');
    writer.killAll();
    await channel[Symbol.asyncDispose]();
  });

  test('is a socket with a mode for all, in a folder that nobody can change', async () => {
    const { name, channel } = open();
    await expect
      .poll(() => shell(name, `stat -c '%F %a %U' /run/linuxrun/${name}.sock`))
      .toBe('socket 666 root\n');
    const attacks = [
      'ln -s /etc/passwd /run/linuxrun/x.sock',
      `rm /run/linuxrun/${name}.sock`,
      'mkdir /run/linuxrun/y',
    ];
    for (const user of ['root', 'nobody'])
      for (const attack of [...attacks, 'mv /run/linuxrun /run/other', 'umount /run/linuxrun'])
        expect(await shell(name, attack, user)).toMatch(/Read-only|ermission denied|busy|not permitted/);
    await channel[Symbol.asyncDispose]();
    await expect.poll(() => shell(name, `ls /run/linuxrun`)).toBe('linuxrun-channel\n');
  });

  test('of a name that is taken, or none, fails, and the first one goes on', async () => {
    const { name, take, channel } = open();
    void shell(name, '$C send first');
    expect((await take()).text()).toBe('first');
    const second = new SocketChannel(container.listen(name));
    await expect(second.messages.getReader().read()).rejects.toThrow(/EADDRINUSE/);
    for (const bad of ['', '.', '../x', 'a/b', 'x'.repeat(64)]) {
      const channel = new SocketChannel(container.listen(bad));
      await expect(channel.messages.getReader().read()).rejects.toThrow(/EINVAL/);
    }
    void shell(name, '$C send again');
    expect((await take()).text()).toBe('again');
    await channel[Symbol.asyncDispose]();
  });

  test('may be opened after its clients, and again after it was closed', async () => {
    const name = `c${next}`;
    const output = shell(name, '$C send early; echo sent');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const first = open();
    expect((await first.take()).text()).toBe('early');
    expect(await output).toBe('sent\n');
    const left = run(name, '$C; echo closed');
    void left.stdin.getWriter().write(Buffer.from('x\n'));
    expect((await first.take()).text()).toBe('x');
    await first.channel[Symbol.asyncDispose]();
    expect(await text(left.stdout)).toBe('closed\n');
    next--;
    const again = open();
    void shell(name, '$C send again');
    expect((await again.take()).text()).toBe('again');
    await again.channel[Symbol.asyncDispose]();
  });

  test('survives clients that send no frames, half ones, or nothing at all', async () => {
    const { name, take, channel } = open();
    const socket = `local:/run/linuxrun/${name}.sock`;
    await expect.poll(() => shell(name, `ls /run/linuxrun/${name}.sock`)).not.toMatch(/No such/);
    const attack = (bytes: string) => shell(name, `printf '${bytes}' | nc ${socket} 2>&1 || true`, 'nobody');
    void attack('\\377\\377\\377\\377');
    void attack('GET / HTTP/1.1\\r\\n\\r\\n');
    void attack('\\0\\0\\0\\144half');
    const idle = run(
      name,
      `i=0; while [ $i -lt 20 ]; do sleep 1000 | nc ${socket} & i=$((i + 1)); done; wait`,
    );
    await shell(name, '$C send still here');
    expect((await take()).text()).toBe('still here');
    idle.killAll();
    await idle.exit;
    await channel[Symbol.asyncDispose]();
  });

  test('forgets clients that have gone, however many there were', async () => {
    const { name, take, channel } = open();
    const many = shell(name, 'i=0; while [ $i -lt 100 ]; do $C send $i; i=$((i + 1)); done');
    for (let i = 0; i < 100; i++) expect((await take()).text()).toBe(`${i}`);
    await many;
    let isReceived = false;
    const output = shell(name, '$C recv').finally(() => {
      isReceived = true;
    });
    while (!isReceived) {
      await channel.send(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await output).toBe('1\n');
    await channel[Symbol.asyncDispose]();
  });

  test('wrong uses of the helper have a reason', async () => {
    expect(await shell('x', `${HELPER}; echo $?`)).toMatch(/^linuxrun-channel: usage: .*\n2\n$/);
    expect(await shell('x', '$C frob; echo $?')).toMatch(/usage: .*\n2\n$/);
    expect(await shell('x', `${HELPER} ../x send; echo $?`)).toMatch(/no name of a channel: ..\/x\n2\n$/);
  });

  test('delivers the last words of a container, and ends with it', async () => {
    const short = await start({
      image: await pull(`${DEMO_IMAGES}:busybox`),
      args: ['sh', '-c', `echo last words | ${HELPER} events`],
    });
    const channel = new SocketChannel(short.listen('events'));
    const texts: string[] = [];
    const reading = channel.messages.pipeTo(
      new WritableStream({
        write: async (message) => {
          texts.push(message.text());
        },
      }),
    );
    expect(await short.exit).toBe(0);
    await reading;
    expect(texts).toEqual(['last words']);
    await expect(channel.send(1)).rejects.toThrow(/has ended/);
    const late = new SocketChannel(short.listen('late'));
    await expect(late.messages.getReader().read()).rejects.toThrow(/does not run/);
    await short.destroy();
    const none = new SocketChannel(short.listen('none'));
    await expect(none.messages.getReader().read()).rejects.toThrow(/stopped/);
  });
});
