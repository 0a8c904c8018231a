import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Agent } from './agent.ts';
import { PROTOCOL_VERSION } from './agent-codes.ts';
import {
  encodeMeasure,
  encodePowerOff,
  encodeResize,
  encodeResume,
  encodeRun,
  encodeSignal,
  encodeSuspend,
} from './agent-requests.ts';
import type { VsockStream } from './devices/vsock/device.ts';
import type { StreamMessage } from './stream-mux.ts';
import { StreamMux } from './stream-mux.ts';

const CONTROL = 1024;
const DATA = 1025;
/** More bytes than a function takes arguments. */
const LARGE_PACKET = 1 << 20;
const HELLO = Buffer.from(`05000000020${PROTOCOL_VERSION}000000`, 'hex');

/** The guest's end of a connection. */
class GuestStream {
  toHost = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  toGuest = new TransformStream<Uint8Array, Uint8Array>();
  #writer = this.toHost.writable.getWriter();
  #reader = this.toGuest.readable.getReader();

  /** The stream of another machine. */
  renew(): this {
    this.toHost = new TransformStream();
    this.toGuest = new TransformStream();
    this.#writer = this.toHost.writable.getWriter();
    this.#reader = this.toGuest.readable.getReader();
    return this;
  }

  send(bytes: Uint8Array): void {
    this.#writer.write(new Uint8Array(bytes)).catch(() => {});
  }

  end(): void {
    this.#writer.close().catch(() => {});
  }

  reset(reason: string): void {
    this.#writer.abort(new Error(reason)).catch(() => {});
  }

  async receive(): Promise<string | undefined> {
    const { value } = await this.#reader.read();
    return value && Buffer.from(value).toString('hex');
  }

  /** Whether the host reads no more of it. */
  async isCancelled(): Promise<boolean> {
    return this.#writer.closed.then(
      () => false,
      () => true,
    );
  }

  /** Whether the host has reset the stream. */
  async isReset(): Promise<boolean> {
    return this.#reader.closed.then(
      () => false,
      () => true,
    );
  }
}

let listeners: Map<number, (stream: VsockStream) => void>;
let agent: Agent;
/** The owner's end of the streams. */
let page: StreamMux;
let events: string[];

beforeEach(() => renew(() => undefined));

/** Makes a new agent. @param resumed finds the guest's end of a stream that goes on, by the host's port */
function renew(resumed: (port: number) => GuestStream | undefined): void {
  listeners = new Map();
  events = [];
  const listen = (port: number, onStream: (stream: VsockStream) => void) => {
    listeners.set(port, onStream);
    return () => listeners.delete(port);
  };
  const to = (mux: () => StreamMux) => (message: StreamMessage) =>
    queueMicrotask(() => mux().receive(message));
  page = new StreamMux(to(() => worker));
  const worker = new StreamMux(to(() => page));
  const takeResumed = (port: number) => {
    const guest = resumed(port);
    return guest && hostEnd(port, guest.renew());
  };
  agent = new Agent({ listen, takeResumed }, worker, {
    started: (process) => events.push(`${process} started`),
    exited: (process, status) => events.push(`${process} exited ${status}`),
    lost: (process, reason) => events.push(`${process} lost: ${reason}`),
    usage: (usage) => events.push(JSON.stringify(usage)),
  });
}

function hostEnd(port: number, { toHost, toGuest }: GuestStream): VsockStream {
  const [{ readable }, { writable }] = [toHost, toGuest];
  return { localPort: port, remotePort: 1, readable, writable, closedAtOnce: false };
}

function connect(port: number): GuestStream {
  const guest = new GuestStream();
  listeners.get(port)?.(hostEnd(port, guest));
  return guest;
}

function greet(): GuestStream {
  const control = connect(CONTROL);
  control.send(HELLO);
  return control;
}

const tokens = (process: number) => Uint8Array.from({ length: 64 }, (_, index) => process * 4 + (index >> 4));
const run = (process: number) =>
  encodeRun({ process, tokens: tokens(process), args: ['true'], env: [], directory: '/', console: false });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
function exitMessage(process: number, status: number, reason = ''): Buffer {
  const numbers = Buffer.from(Uint32Array.of(process, status).buffer);
  const body = Buffer.concat([Buffer.from([3]), numbers, Buffer.from(`${reason}\0`)]);
  return Buffer.concat([Buffer.from(Uint32Array.of(body.length).buffer), body]);
}
function usageMessage(memory: number): Buffer {
  const figures = Buffer.from(BigUint64Array.of(BigInt(memory), 0n, 0n, 0n, 0n, 0n).buffer);
  return Buffer.concat([Buffer.from('310000000c', 'hex'), figures]);
}
const token = (process: number, descriptor: number) =>
  Buffer.from(tokens(process).subarray(16 * descriptor, 16 * (descriptor + 1)));

const output = (process: number, descriptor: number) => page.readable(`process/${process}/${descriptor}`);

function start(process: number) {
  const [stdout, stderr] = [output(process, 1), output(process, 2)];
  const stdin = page.writable(`process/${process}/0`);
  agent.run(process, run(process), { tokens: tokens(process), outputs: [1, 2] });
  return { stdin, stdout, stderr };
}

describe('the control stream', () => {
  test('waits for HELLO, then carries messages in order', async () => {
    start(1);
    agent.signal(1, 15);
    const control = greet();
    expect(await control.receive()).toBe(hex(run(1)));
    expect(await control.receive()).toBe(hex(encodeSignal(1, 15)));
    agent.resize(1, { columns: 80, rows: 25 });
    expect(await control.receive()).toBe(hex(encodeResize(1, { columns: 80, rows: 25 })));
    agent.resize(2, { columns: 80, rows: 25 });
    agent.powerOff();
    expect(await control.receive()).toBe(hex(encodePowerOff()));
  });

  test('is opened once', () => {
    greet();
    expect(listeners.has(CONTROL)).toBe(false);
  });

  test('reports starts and exits of running processes only', async () => {
    const control = greet();
    start(1);
    const started = (process: number) => Buffer.from(`05000000130${process}000000`, 'hex');
    // A hostile guest may flood the host with them.
    for (const process of [9, 1, 1, 1]) control.send(started(process));
    control.send(exitMessage(9, 0));
    control.send(exitMessage(1, 3));
    control.send(exitMessage(1, 4));
    control.send(started(1));
    await expect.poll(() => events).toEqual(['1 started', '1 exited 3']);
  });

  test('carries figures in the order of the requests', async () => {
    const control = greet();
    for (const container of [1, 2]) agent.measure(`${container}`);
    for (const container of [1, 2]) {
      expect(await control.receive()).toBe(hex(encodeMeasure(`${container}`)));
      control.send(usageMessage(container));
    }
    await expect.poll(() => events.map((event) => JSON.parse(event).memory.totalBytes)).toEqual([1, 2]);
  });

  test('carries no figures that nobody has asked for', async () => {
    const control = greet();
    start(1);
    control.send(usageMessage(1));
    control.send(exitMessage(1, 0));
    await expect.poll(() => events).toEqual(['1 exited 0']);
  });

  test.each([
    ['ends', (control: GuestStream) => control.end(), /closed its control stream/],
    ['is reset', (control: GuestStream) => control.reset('gone'), /control stream failed: gone/],
    ['is garbage', (control: GuestStream) => control.send(Buffer.alloc(8, 0xff)), /message of 4294967295/],
    [
      'speaks another version',
      (control: GuestStream) => control.send(Buffer.from('050000000263000000', 'hex')),
      /speaks version 99/,
    ],
  ])('that %s ends all processes', async (_, spoil, reason) => {
    const control = greet();
    const { stdout } = start(1);
    spoil(control);
    await expect.poll(() => events.length).toBe(1);
    expect(events[0]).toMatch(reason);
    expect(await new Response(stdout).text()).toBe('');
    start(2);
    expect(events[1]).toMatch(reason);
  });
});

describe('data streams', () => {
  test('are the requested streams of the process', async () => {
    const control = greet();
    const [screen, messages] = [output(4, 1), output(4, 3)];
    agent.run(4, run(4), { tokens: tokens(4), outputs: [1, 3] });
    const [foreign, own] = [2, 3].map((descriptor) => {
      const stream = connect(DATA);
      stream.send(Buffer.concat([token(4, descriptor), Buffer.from('text')]));
      return stream;
    }) as [GuestStream, GuestStream];
    expect(await foreign.isReset()).toBe(true);
    own.end();
    expect(await new Response(messages).text()).toBe('text');
    // A container that could not be made has no terminal.
    control.send(exitMessage(4, 125));
    expect(await new Response(screen).text()).toBe('');
    expect(events).toEqual(['4 exited 125']);
  });

  test('are distinguished by their tokens, in pieces of any size', async () => {
    greet();
    const { stdin, stdout, stderr } = start(7);
    const guest = [0, 1, 2].map(() => connect(DATA));
    guest.forEach((stream, descriptor) => {
      stream.send(token(7, descriptor).subarray(0, 3));
      stream.send(
        Buffer.concat([token(7, descriptor).subarray(3), Buffer.from(descriptor ? `${descriptor}!` : '')]),
      );
    });
    guest[1]?.send(Buffer.from('more'));
    guest[1]?.end();
    guest[2]?.end();
    expect(await new Response(stdout).text()).toBe('1!more');
    expect(await new Response(stderr).text()).toBe('2!');
    const writer = stdin.getWriter();
    void writer.write(Uint8Array.of(0xab));
    expect(await guest[0]?.receive()).toBe('ab');
    void writer.close();
    expect(await guest[0]?.receive()).toBeUndefined();
  });

  test('may have any amount of data in the packet that ends their header', async () => {
    greet();
    const { stdout } = start(7);
    const stream = connect(DATA);
    const [cut, data] = [3, new Uint8Array(LARGE_PACKET).fill(0x61)];
    stream.send(token(7, 1).subarray(0, cut));
    stream.send(Buffer.concat([token(7, 1).subarray(cut), data]));
    stream.end();
    expect((await new Response(stdout).bytes()).length).toBe(LARGE_PACKET);
  });

  test.each([
    ['of no process', token(8, 1)],
    ['of no descriptor', token(7, 3)],
  ])('%s are reset', async (_, bytes) => {
    greet();
    start(7);
    const stream = connect(DATA);
    stream.send(bytes);
    expect(await stream.isReset()).toBe(true);
  });

  test('cannot be opened twice', async () => {
    greet();
    start(7);
    const [first, second] = [connect(DATA), connect(DATA)];
    for (const stream of [first, second]) stream.send(token(7, 1));
    expect(await second.isReset()).toBe(true);
  });

  test('of a process that has ended are reset', async () => {
    const control = greet();
    const { stdout } = start(7);
    control.send(exitMessage(7, 0));
    await new Response(stdout).text();
    const stream = connect(DATA);
    stream.send(token(7, 1));
    expect(await stream.isReset()).toBe(true);
  });

  test('wait for their token in separate places, and a new one replaces the oldest', async () => {
    greet();
    const { stdout } = start(7);
    const held = Array.from({ length: 2500 }, () => connect(DATA));
    const own = connect(DATA);
    own.send(token(7, 1));
    own.send(Buffer.from('here'));
    own.end();
    expect(await new Response(stdout).text()).toBe('here');
    expect(await Promise.all(held.slice(0, 450).map((stream) => stream.isReset()))).toEqual(
      Array(450).fill(true),
    );
    // A replaced connection is ignored, even if it sends a token.
    held[0]?.send(token(7, 2));
    const other = connect(DATA);
    other.send(token(7, 2));
    expect(await Promise.race([other.isReset(), Promise.resolve('open')])).toBe('open');
  });

  test('have a limited time to send their token', async () => {
    vi.useFakeTimers();
    try {
      greet();
      start(7);
      const [silent, slow, opened] = [connect(DATA), connect(DATA), connect(DATA)];
      slow.send(token(7, 1).subarray(0, 15));
      opened.send(token(7, 2));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await Promise.all([silent, slow].map((stream) => stream.isReset()))).toEqual([true, true]);
      expect(await Promise.race([opened.isReset(), Promise.resolve('open')])).toBe('open');
    } finally {
      vi.useRealTimers();
    }
  });

  test('that end within the token are dropped', async () => {
    greet();
    const stream = connect(DATA);
    stream.send(Uint8Array.of(7));
    stream.end();
    expect(await stream.isReset()).toBe(true);
  });

  test('end with a process that opened none', async () => {
    const control = greet();
    const { stdout, stderr, stdin } = start(7);
    control.send(exitMessage(7, 127));
    expect(await Promise.all([stdout, stderr].map((stream) => new Response(stream).text()))).toEqual([
      '',
      'LinuxRun: the agent could not open its streams to the host\n',
    ]);
    await expect
      .poll(() =>
        stdin
          .getWriter()
          .write(Uint8Array.of(1))
          .then(
            () => 'taken',
            () => 'refused',
          ),
      )
      .toBe('refused');
    expect(events).toEqual(['7 exited 127']);
  });

  test.each([
    [[1, 2], 2, 'too many processes', 'LinuxRun: too many processes\n'],
    [[1, 3], 3, 'too many processes', 'LinuxRun: too many processes\n'],
    [[1, 2, 3], 3, '', 'LinuxRun: the agent could not open its streams to the host\n'],
  ])('that were never opened carry the reason: %j', async (outputs, descriptor, reason, line) => {
    const control = greet();
    const readable = output(5, descriptor);
    agent.run(5, run(5), { tokens: tokens(5), outputs });
    control.send(exitMessage(5, 126, reason));
    expect(await new Response(readable).text()).toBe(line);
    expect(events).toEqual(['5 exited 126']);
  });

  test('that were opened before the end of their process are not late', async () => {
    const control = greet();
    const { stdout, stderr } = start(7);
    const guest = [1, 2].map(() => connect(DATA));
    guest.forEach((stream, index) => {
      stream.send(token(7, index + 1));
      stream.send(Buffer.from('text'));
      stream.end();
    });
    control.send(exitMessage(7, 1));
    expect(await Promise.all([stdout, stderr].map((stream) => new Response(stream).text()))).toEqual([
      'text',
      'text',
    ]);
    await expect.poll(() => events).toEqual(['7 exited 1']);
  });

  test('that the guest resets end with an error', async () => {
    greet();
    const { stdout } = start(7);
    const stream = connect(DATA);
    stream.send(Buffer.concat([token(7, 1), Buffer.from('partial')]));
    const reader = stdout.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('partial');
    stream.reset('crash');
    await expect(reader.read()).rejects.toThrow('crash');
  });

  test('that are no longer read are cancelled', async () => {
    greet();
    const { stdout } = start(7);
    const stream = connect(DATA);
    stream.send(token(7, 1));
    await stdout.cancel();
    stream.send(new Uint8Array(10));
    stream.send(new Uint8Array(10));
    expect(await stream.isCancelled()).toBe(true);
  });
});

describe('a suspension', () => {
  const SUSPENDED = Buffer.from('010000001a', 'hex');
  const resumption = { tick: 7n, time: 9n, entropy: new Uint8Array(32).fill(3) };

  test('is refused before HELLO, and when the guest is gone', async () => {
    await expect(agent.freeze()).rejects.toThrow('has not started');
    const control = greet();
    start(1);
    await control.receive();
    const freezing = agent.freeze();
    control.end();
    await expect(freezing).rejects.toThrow('closed its control stream');
    await expect(agent.freeze()).rejects.toThrow('closed its control stream');
  });

  test('fails if the guest does not answer', async () => {
    const control = greet();
    start(1);
    await control.receive();
    vi.useFakeTimers();
    try {
      const outcome = expect(agent.freeze()).rejects.toThrow('does not freeze its processes');
      await vi.advanceTimersByTimeAsync(10_000);
      await outcome;
    } finally {
      vi.useRealTimers();
    }
    expect(await control.receive()).toBe(hex(encodeSuspend()));
    agent.proceed(resumption);
    expect(await control.receive()).toBe(hex(encodeResume(resumption)));
  });

  test('holds messages and input back, and RESUME comes before all', async () => {
    const control = greet();
    const { stdin } = start(7);
    expect(await control.receive()).toBe(hex(run(7)));
    const input = connect(DATA);
    input.send(token(7, 0));
    const freezing = agent.freeze();
    expect(await control.receive()).toBe(hex(encodeSuspend()));
    control.send(SUSPENDED);
    await freezing;
    agent.signal(7, 15);
    void stdin.getWriter().write(Uint8Array.of(0xab));
    const state = agent.state() as { backlog: Uint8Array[]; processes: object[] };
    expect(state.backlog.map(hex)).toEqual([hex(encodeSignal(7, 15))]);
    expect(state.processes).toMatchObject([{ id: 7, awaited: [1, 2], ports: [{ descriptor: 0, port: 1 }] }]);
    agent.proceed(resumption);
    expect(await control.receive()).toBe(hex(encodeResume(resumption)));
    expect(await control.receive()).toBe(hex(encodeSignal(7, 15)));
    expect(await input.receive()).toBe('ab');
  });

  test('goes on with streams that open later, and drops answers that nobody waits for', async () => {
    const control = greet();
    start(7);
    await control.receive();
    agent.measure('one');
    await control.receive();
    const freezing = agent.freeze();
    await control.receive();
    control.send(SUSPENDED);
    await freezing;
    const state = agent.state();
    renew((port) => (port === CONTROL ? control : undefined));
    const stdout = output(7, 1);
    agent.resume(state, resumption);
    expect(await control.receive()).toBe(hex(encodeResume(resumption)));
    agent.measure('two');
    expect(await control.receive()).toBe(hex(encodeMeasure('two')));
    control.send(usageMessage(1));
    control.send(usageMessage(2));
    const stream = connect(DATA);
    stream.send(Buffer.concat([token(7, 1), Buffer.from('later')]));
    stream.end();
    expect(await new Response(stdout).text()).toBe('later');
    control.send(exitMessage(7, 0));
    await expect.poll(() => events.length).toBe(2);
    expect(JSON.parse(events[0] as string).memory.totalBytes).toBe(2);
    expect(events[1]).toBe('7 exited 0');
  });
});
