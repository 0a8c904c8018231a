import { beforeEach, describe, expect, test } from 'vitest';
import { type StreamMessage, StreamMux } from './stream-mux.ts';

const WINDOW = 256 * 1024;
let near: StreamMux;
let far: StreamMux;

beforeEach(() => {
  const deliver = (to: () => StreamMux) => (message: StreamMessage, transfer: Transferable[]) => {
    const clone = structuredClone(message, { transfer });
    queueMicrotask(() => to().receive(clone));
  };
  near = new StreamMux(deliver(() => far));
  far = new StreamMux(deliver(() => near));
});

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of stream) text += Buffer.from(bytes).toString();
  return text;
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  return done;
}

describe('a stream', () => {
  test('carries bytes to its end, and does not change the bytes that it was given', async () => {
    const text = collect(far.readable('a'));
    const writer = near.writable('a').getWriter();
    const bytes = Buffer.from('hello ');
    await writer.write(bytes);
    bytes.fill(0);
    await writer.write(Buffer.from('world'));
    await writer.close();
    expect(await text).toBe('hello world');
  });

  test('delays only its own writer while it is not read', async () => {
    const slow = far.readable('slow').getReader();
    const quick = collect(far.readable('quick'));
    const sender = near.sender('slow');
    expect(await settled(sender.send(new Uint8Array(WINDOW)))).toBe(true);
    const blocked = sender.send(new Uint8Array(1));
    expect(await settled(blocked)).toBe(false);
    const other = near.sender('quick');
    await other.send(Buffer.from('x'));
    other.end();
    expect(await quick).toBe('x');
    expect((await slow.read()).value?.length).toBe(WINDOW);
    expect(await settled(blocked)).toBe(true);
  });

  test('ends with the error of its writer after all bytes', async () => {
    const reader = far.readable('a').getReader();
    const sender = near.sender('a');
    await sender.send(Uint8Array.of(1));
    sender.abort('broken');
    expect((await reader.read()).value).toEqual(Uint8Array.of(1));
    await expect(reader.read()).rejects.toThrow('broken');
    await expect(sender.send(Uint8Array.of(2))).rejects.toThrow('closed');
  });

  test('notifies its writer when the reader leaves', async () => {
    const stream = far.readable('a');
    const sender = near.sender('a');
    void sender.send(new Uint8Array(WINDOW));
    const blocked = sender.send(Uint8Array.of(1));
    await Promise.all([expect(blocked).rejects.toThrow('reader closed'), stream.cancel()]);
    await expect(sender.send(Uint8Array.of(1))).rejects.toThrow('closed');
  });

  test('notifies its writer when the reader left before it started', async () => {
    await far.readable('a').cancel();
    const sender = near.sender('a');
    void sender.send(new Uint8Array(WINDOW));
    await expect(sender.send(Uint8Array.of(1))).rejects.toThrow('reader closed');
  });

  test('is aborted at once, even if a write waits for its reader', async () => {
    const reader = far.readable('a').getReader();
    let aborted = 0;
    const writer = near.writable('a', () => aborted++).getWriter();
    const blocked = writer.write(new Uint8Array(WINDOW + 1));
    expect((await reader.read()).value?.length).toBe(WINDOW + 1);
    const waiting = writer.write(new Uint8Array(WINDOW + 1));
    await blocked;
    await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([writer.abort('enough'), waiting.catch(() => {})]);
    expect(aborted).toBe(1);
    await reader.read();
    await expect(reader.read()).rejects.toThrow('enough');
  });

  test('can be used again by its name once it has ended', async () => {
    for (const text of ['one', 'two']) {
      const result = collect(far.readable('a'));
      const sender = near.sender('a');
      await sender.send(Buffer.from(text));
      sender.end();
      expect(await result).toBe(text);
    }
  });
});

test('destroy fails writers and, once they have read all, readers', async () => {
  const reader = far.readable('in').getReader();
  near.readable('out');
  await near.sender('in').send(Uint8Array.of(5));
  const sender = far.sender('out');
  void sender.send(new Uint8Array(WINDOW));
  const blocked = sender.send(Uint8Array.of(1));
  await new Promise((resolve) => setTimeout(resolve, 1));
  far.destroy(new Error('gone'));
  await expect(blocked).rejects.toThrow('gone');
  expect((await reader.read()).value).toEqual(Uint8Array.of(5));
  await expect(reader.read()).rejects.toThrow('gone');
  await expect(far.readable('late').getReader().read()).rejects.toThrow('gone');
  await expect(far.sender('late').send(Uint8Array.of(1))).rejects.toThrow('gone');
});

test('messages for unknown streams are ignored', () => {
  near.receive({ type: 'data', stream: 'x', bytes: new Uint8Array(1) });
  near.receive({ type: 'ack', stream: 'x', count: 1 });
  near.receive({ type: 'end', stream: 'x' });
  near.receive({ type: 'cancel', stream: 'x' });
  near.destroy(new Error('gone'));
});

describe('frozen streams', () => {
  const all = () => true;

  test('give nothing to readers and writers, and go on', async () => {
    const reading = collect(far.readable('a'));
    const sender = near.sender('a');
    await sender.send(Buffer.from('one '));
    far.freeze(all);
    near.freeze(all);
    const sending = sender.send(Buffer.from('two'));
    expect([await settled(sending), await settled(reading)]).toEqual([false, false]);
    sender.end();
    // The other side has not heard of the end.
    expect(near.isWritable('a')).toBe(true);
    near.thaw();
    far.thaw();
    expect([await reading, await settled(sending)]).toEqual(['one two', true]);
    expect(near.isWritable('a')).toBe(false);
  });

  test('that are destroyed keep what the state has, and refuse what it has not', async () => {
    const reader = far.readable('a').getReader();
    const sender = near.sender('a');
    const waiting = sender.send(new Uint8Array(WINDOW + 1));
    expect(await settled(waiting)).toBe(false);
    near.freeze(all);
    far.freeze(all);
    // The other side has these bytes.
    await waiting;
    const held = sender.send(new Uint8Array(1));
    expect(far.unread('a')).toEqual({ bytes: new Uint8Array(WINDOW + 1), end: null });
    for (const mux of [near, far]) mux.destroy(new Error('suspended'));
    await expect(held).rejects.toThrow('suspended');
    await expect(reader.read()).rejects.toThrow('suspended');
  });

  test.each([null, '', 'broken'])('are read elsewhere, to their end: %j', async (end) => {
    const state = { bytes: new Uint8Array([104, 105]), end };
    const reading = collect(far.readable('a', undefined, state));
    const sender = near.sender('a');
    if (end === null) {
      await sender.send(Buffer.from(' you'));
      sender.end();
      expect(await reading).toBe('hi you');
    } else if (end === '') {
      expect(await reading).toBe('hi');
    } else {
      await expect(reading).rejects.toThrow('broken');
    }
  });

  test('state what is left of them when they have ended', async () => {
    const readable = far.readable('a');
    const sender = near.sender('a');
    await sender.send(Buffer.from('rest'));
    sender.abort('gone');
    await settled(Promise.resolve());
    expect(far.unread('a')).toEqual({ bytes: new Uint8Array(Buffer.from('rest')), end: 'gone' });
    await collect(readable).catch(() => {});
    expect(far.unread('a')).toEqual({ bytes: new Uint8Array(), end: '' });
  });
});
