import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../machine/machine.ts';
import { OptionError } from '../options/option-error.mjs';
import { concat } from '../streams/concat.ts';
import { type ChannelMessage, checkChannelName, encodeFrame, FrameReader, SocketChannel } from './channel.ts';

const MIB = 1 << 20;

const bytesOf = (text: string) => new TextEncoder().encode(text);
const frame = (text: string) => encodeFrame(bytesOf(text));
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Unlike those of a TransformStream, its writes end when it is aborted, as in a machine. */
function pipe() {
  let wake = () => {};
  let isWanted = false;
  let isOver = false;
  const end = () => {
    isOver = true;
    wake();
  };
  const ends: {
    input?: WritableStreamDefaultController;
    output?: ReadableStreamDefaultController<Uint8Array>;
  } = {};
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        ends.output = controller;
      },
      pull: () => {
        isWanted = true;
        wake();
      },
      cancel: () => {
        ends.input?.error(new Error('the client has gone'));
        end();
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<Uint8Array>({
    start: (controller) => {
      ends.input = controller;
      controller.signal.addEventListener('abort', () => {
        ends.output?.error(new Error('reset'));
        end();
      });
    },
    write: async (bytes) => {
      while (!isWanted && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isWanted = false;
      if (!isOver) ends.output?.enqueue(bytes);
    },
    close: () => ends.output?.close(),
  });
  return { readable, writable };
}

/** A client in the container. */
class FakeClient {
  readonly #toHost = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  readonly #toClient = pipe();
  readonly sender = this.#toHost.writable.getWriter();
  readonly receiver = this.#toClient.readable.getReader();
  readonly connection: Connection = {
    readable: this.#toHost.readable,
    writable: this.#toClient.writable,
  };

  constructor() {
    this.sender.closed.catch(() => {});
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.sender.write(bytes).catch(() => {});
  }

  /** The text of the next message; undefined when the channel has closed its direction. */
  async next(): Promise<string | undefined> {
    const { value } = await this.receiver.read();
    return value && textOf(value.subarray(4));
  }

  get isReset(): Promise<boolean> {
    return this.receiver.closed.then(
      () => false,
      () => true,
    );
  }
}

let accept: ReadableStreamDefaultController<Connection>;
let closed: number;
let channel: SocketChannel;

beforeEach(() => {
  closed = 0;
  const clients = new ReadableStream<Connection>(
    {
      start: (controller) => {
        accept = controller;
      },
    },
    { highWaterMark: 0 },
  );
  channel = new SocketChannel({
    clients,
    close: () => {
      closed++;
      accept.close();
    },
  });
});
afterEach(() => {
  vi.useRealTimers();
});

function connect(): FakeClient {
  const client = new FakeClient();
  accept.enqueue(client.connection);
  return client;
}

const isTaken = ({ connection }: FakeClient) => connection.readable.locked;
const taken = (...clients: FakeClient[]) => expect.poll(() => clients.every(isTaken)).toBe(true);

async function take(reader: ReadableStreamDefaultReader<ChannelMessage>): Promise<ChannelMessage> {
  const { value } = await reader.read();
  if (!value) throw new Error('the messages have ended');
  return value;
}

describe('frames', () => {
  test('are cut in any way and put together again', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
        (messages, sizes) => {
          const all = concat(messages.map((message) => encodeFrame(message)));
          const reader = new FrameReader();
          const read: Uint8Array[] = [];
          for (let at = 0; at < all.length; ) {
            const size = sizes.next().value as number;
            read.push(...reader.push(all.slice(at, at + size)));
            at += size;
          }
          expect(read.map((bytes) => [...bytes])).toEqual(messages.map((bytes) => [...bytes]));
          expect(reader.incomplete).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('have at most 16 MiB in both directions', () => {
    expect(encodeFrame(new Uint8Array(16 * MIB)).length).toBe(16 * MIB + 4);
    expect(() => encodeFrame(new Uint8Array(16 * MIB + 1))).toThrow(RangeError);
    expect([...new FrameReader().push(Uint8Array.of(1, 0, 0, 0))]).toEqual([]);
    expect(() => [...new FrameReader().push(Uint8Array.of(1, 0, 0, 1))]).toThrow(RangeError);
    expect(() => [...new FrameReader().push(bytesOf('GET / HTTP/1.1'))]).toThrow(RangeError);
  });

  test('in very many parts take time and memory in proportion', () => {
    const reader = new FrameReader();
    const messages = [...reader.push(encodeFrame(new Uint8Array(MIB)).slice(0, 4))];
    for (let at = 0; at < MIB; at++) messages.push(...reader.push(Uint8Array.of(7)));
    expect(messages.map(({ length }) => length)).toEqual([MIB]);
    const empty = new Uint8Array(4 * 100_000);
    expect([...reader.push(empty)].length).toBe(100_000);
  });

  test('hold bytes as they are, and anything else as JSON', () => {
    expect(textOf(encodeFrame({ a: [1, null, 'é'] }).subarray(4))).toBe('{"a":[1,null,"é"]}');
    expect(textOf(encodeFrame('text').subarray(4))).toBe('"text"');
    expect([...encodeFrame(Uint8Array.of(0, 255))]).toEqual([0, 0, 0, 2, 0, 255]);
  });
});

test.each(['events', 'a.b-c_9', 'x'.repeat(63)])('%s is a name', (name) => {
  checkChannelName(name);
});
test.each(['', '.', '..', '.x', '../x', 'a/b', 'a b', 'a\0', 'a\n', 'x'.repeat(64), 'é'])(
  '%j is none',
  (name) => {
    expect(() => checkChannelName(name)).toThrow(OptionError);
  },
);

describe('a channel', () => {
  test('delivers the messages of several clients, who get their replies', async () => {
    const [one, two] = [connect(), connect()];
    const reader = channel.messages.getReader();
    one.send(frame('{"n":1}'));
    const first = await take(reader);
    two.send(frame('two'));
    const second = await take(reader);
    expect([first.client, first.text(), first.json()]).toEqual([1, '{"n":1}', { n: 1 }]);
    expect([second.client, second.text()]).toEqual([2, 'two']);
    expect(() => second.json()).toThrow(SyntaxError);
    void second.reply(bytesOf('to two'));
    void first.reply({ to: 'one' });
    expect([await one.next(), await two.next()]).toEqual(['{"to":"one"}', 'to two']);
  });

  test('lets clients wait while nobody takes their messages', async () => {
    const client = connect();
    let written = 0;
    for (let i = 0; i < 100; i++) void client.sender.write(frame(`${i}`)).then(() => written++);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written).toBeLessThan(5);
    const reader = channel.messages.getReader();
    for (let i = 0; i < 100; i++) expect((await take(reader)).text()).toBe(`${i}`);
    await expect.poll(() => written).toBe(100);
  });

  test('gives each message to the reader once, whichever clients wait', async () => {
    const clients = Array.from({ length: 10 }, connect);
    for (const client of clients) for (let i = 0; i < 10; i++) client.send(frame(`${i}`));
    const reader = channel.messages.getReader();
    const counts = new Map<number, string[]>();
    for (let i = 0; i < 100; i++) {
      const message = await take(reader);
      counts.set(message.client, [...(counts.get(message.client) ?? []), message.text()]);
    }
    const expected = Array.from({ length: 10 }, (_, i) => `${i}`);
    expect([...counts.values()]).toEqual(clients.map(() => expected));
  });

  test('calls listeners, until they leave', async () => {
    const client = connect();
    const heard: string[] = [];
    const stop = channel.on('message', (message) => void heard.push(message.text()));
    const stopOther = channel.on('message', (message) => void heard.push(`other ${message.text()}`));
    client.send(frame('a'));
    await expect.poll(() => heard).toEqual(['a', 'other a']);
    stop();
    client.send(frame('b'));
    await expect.poll(() => heard).toEqual(['a', 'other a', 'other b']);
    stopOther();
    client.send(frame('c'));
    expect((await take(channel.messages.getReader())).text()).toBe('c');
    expect(heard.length).toBe(3);
  });

  test('sends to all clients, and waits for the first one', async () => {
    let isSent = false;
    const sending = channel.send({ go: true }).then(() => {
      isSent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isSent).toBe(false);
    const client = connect();
    expect(await client.next()).toBe('{"go":true}');
    await sending;
    const other = connect();
    await taken(other);
    void channel.send(bytesOf('all'));
    expect(await Promise.all([client.next(), other.next()])).toEqual(['all', 'all']);
  });

  test('waits until clients take what it sends', async () => {
    const client = connect();
    let sent = 0;
    for (let i = 0; i < 10; i++) void channel.send(i).then(() => sent++);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toBeLessThan(4);
    for (let i = 0; i < 10; i++) expect(await client.next()).toBe(`${i}`);
    await expect.poll(() => sent).toBe(10);
  });

  test('resets a client that takes nothing, for the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [stuck, good] = [connect(), connect()];
    await vi.waitFor(() => expect([stuck, good].every(isTaken)).toBe(true));
    const sent: number[] = [];
    for (let i = 0; i < 5; i++) void channel.send(i).then(() => sent.push(i));
    for (let i = 0; i < 5; i++) expect(await good.next()).toBe(`${i}`);
    expect(sent.length).toBeLessThan(5);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await stuck.isReset).toBe(true);
    await vi.waitFor(() => expect(sent.length).toBe(5));
  });

  test.each([
    ['too long a frame', Uint8Array.of(255, 255, 255, 255)],
    ['something else than frames', bytesOf('hello\n')],
  ])('resets a client that sends %s, and no other', async (_, bytes) => {
    const [bad, good] = [connect(), connect()];
    const reader = channel.messages.getReader();
    bad.send(frame('first'));
    expect((await take(reader)).text()).toBe('first');
    bad.send(bytes);
    expect(await bad.isReset).toBe(true);
    good.send(frame('good'));
    expect((await take(reader)).text()).toBe('good');
  });

  test('forgets half a message of a client that has gone', async () => {
    const client = connect();
    client.send(frame('half').slice(0, 6));
    void client.sender.close();
    const other = connect();
    other.send(frame('whole'));
    expect((await take(channel.messages.getReader())).text()).toBe('whole');
  });

  test('bounds what all incomplete messages take, at the cost of the oldest', async () => {
    const half = frame('x'.repeat(15 * MIB)).slice(0, 15 * MIB);
    const clients = Array.from({ length: 5 }, connect);
    for (const client of clients.slice(0, 4)) client.send(half);
    await taken(...clients);
    clients[4]?.send(half);
    expect(await clients[0]?.isReset).toBe(true);
    const rest = frame('x'.repeat(15 * MIB)).slice(15 * MIB);
    clients[1]?.send(rest);
    const reader = channel.messages.getReader();
    expect((await take(reader)).bytes.length).toBe(15 * MIB);
  });

  test('accepts 64 clients at a time', async () => {
    const clients = Array.from({ length: 64 }, connect);
    await taken(...clients);
    const waiting = connect();
    waiting.send(frame('late'));
    const heard: string[] = [];
    channel.on('message', (message) => void heard.push(message.text()));
    clients[3]?.send(frame('present'));
    await expect.poll(() => heard).toEqual(['present']);
    expect(isTaken(waiting)).toBe(false);
    clients[0]?.send(Uint8Array.of(255, 0, 0, 0));
    await expect.poll(() => heard).toEqual(['present', 'late']);
  });

  test('closes the connection of a client that has ended once it has its replies', async () => {
    const client = connect();
    channel.on('message', async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await message.reply(`${message.text()}!`);
    });
    client.send(frame('a'));
    client.send(frame('b'));
    void client.sender.close();
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      '"a!"',
      '"b!"',
      undefined,
    ]);
  });

  test('closes it after a while without a reply', async () => {
    const client = connect();
    client.send(frame('a'));
    void client.sender.close();
    channel.on('message', () => {});
    expect(await client.next()).toBe(undefined);
  });

  test('keeps a client that only listens', async () => {
    const client = connect();
    await client.sender.close();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    void channel.send(1);
    expect(await client.next()).toBe('1');
  });

  test('forgets a client that has gone', async () => {
    const client = connect();
    void channel.send(1);
    expect(await client.next()).toBe('1');
    await client.receiver.cancel();
    await client.sender.close();
    await new Promise((resolve) => setTimeout(resolve, 0));
    let isSent = false;
    void channel.send(2).then(() => {
      isSent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(isSent).toBe(false);
    expect(await connect().next()).toBe('2');
  });

  test('ends with its container, after the last messages', async () => {
    const client = connect();
    client.send(frame('last'));
    void client.sender.abort(new Error('the machine was stopped'));
    const [other] = [connect()];
    other.send(frame('really last'));
    void other.sender.close();
    accept.close();
    void other.receiver.cancel();
    const texts: string[] = [];
    const reader = channel.messages.getReader();
    for (let next = await reader.read(); next.value; next = await reader.read())
      texts.push(next.value.text());
    expect(texts).toContain('really last');
    await expect(channel.send(1)).rejects.toThrow('the container has ended');
  });

  test('tells why it could not be opened', async () => {
    accept.error(new Error('EADDRINUSE'));
    await expect(channel.messages.getReader().read()).rejects.toThrow('EADDRINUSE');
    await expect(channel.send(1)).rejects.toThrow('EADDRINUSE');
  });

  test('is closed with its clients', async () => {
    const client = connect();
    await taken(client);
    await channel[Symbol.asyncDispose]();
    expect([closed, await client.isReset]).toEqual([1, true]);
    expect((await channel.messages.getReader().read()).done).toBe(true);
    await expect(channel.send(1)).rejects.toThrow('closed');
  });
});
