import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONSTANTS } from './agent-codes.ts';
import { type ForwarderEvent, ForwarderEventReader } from './agent-messages.ts';
import { deferred } from './deferred.ts';
import { MachineError } from './errors.ts';
import { Forwarders } from './forwarders.ts';
import type { Processes } from './processes.ts';
import type { ToMachine } from './protocol.ts';
import { StreamMux } from './stream-mux.ts';

const { CONNECT, CANCEL, WATCH_PORTS, REFUSED, PORT_OPENED } = CONSTANTS as Record<string, number>;
const [EMFILE, ECONNREFUSED] = [24, 111];

const record = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer);

class FakeForwarder {
  readonly commands = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 100 });
  readonly events = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  readonly exit = deferred<number>();
  readonly #reader = this.commands.readable.getReader();
  readonly #writer = this.events.writable.getWriter();

  /** The type, the subject and the value of the next command. */
  async command(): Promise<number[]> {
    const { value } = await this.#reader.read();
    expect(value?.length).toBe(28);
    const view = new DataView((value as Uint8Array).buffer);
    return [0, 4, 8].map((at) => view.getUint32(at, true));
  }

  send(...numbers: number[]): void {
    void this.#writer.write(record(...numbers));
  }
}

let started: FakeForwarder[];
let posted: ToMachine[];
let forwarders: Forwarders;

beforeEach(() => {
  started = [];
  posted = [];
  const processes = {
    forward: () => {
      const fake = new FakeForwarder();
      started.push(fake);
      return { commands: fake.commands.writable, events: fake.events.readable, exit: fake.exit.promise };
    },
  } as unknown as Processes;
  const mux = new StreamMux((message) => posted.push(message));
  forwarders = new Forwarders(processes, mux, (message) => posted.push(message));
});

const types = () => posted.map(({ type }) => type);
const fake = (index = 0) => started[index] as FakeForwarder;

describe('forwarders', () => {
  test('are started once for each container that needs one', async () => {
    const connecting = [1, 2].map(() => forwarders.connect('one', 80));
    forwarders.connect('two', 80).catch(() => {});
    expect(started).toHaveLength(2);
    expect(await fake().command()).toEqual([CONNECT, 1, 80]);
    expect(await fake().command()).toEqual([CONNECT, 2, 80]);
    expect(await fake(1).command()).toEqual([CONNECT, 3, 80]);
    forwarders.connected(2);
    forwarders.connected(1);
    await Promise.all(connecting);
    expect(types()).toEqual(['expect-connection', 'expect-connection', 'expect-connection']);
  });

  test.each([
    [ECONNREFUSED, 'ECONNREFUSED', 'port 80: connection refused'],
    [EMFILE, 'EMFILE', 'port 80: the container has as many connections as it may have'],
    [0xffff_ffff, undefined, 'port 80: error 4294967295'],
  ])('refuse a connection for error %i', async (error, code, message) => {
    const connecting = forwarders.connect('one', 80);
    fake().send(REFUSED as number, 1, error);
    await expect(connecting).rejects.toMatchObject({ name: 'ConnectError', code, message });
    expect(types()).toEqual(['expect-connection', 'forget-connection']);
  });

  test('do not speak for connections of others', async () => {
    const connecting = forwarders.connect('one', 80);
    const other = forwarders.connect('two', 80);
    fake(1).send(REFUSED as number, 1, ECONNREFUSED as number);
    fake(1).send(REFUSED as number, 2, ECONNREFUSED as number);
    await expect(other).rejects.toThrow('connection refused');
    forwarders.connected(1);
    await connecting;
  });

  test('are told that a connection is given up, which then is reset if it comes', async () => {
    const controller = new AbortController();
    const connecting = forwarders.connect('one', 80, controller.signal);
    controller.abort(new Error('no more'));
    await expect(connecting).rejects.toThrow('no more');
    await fake().command();
    expect(await fake().command()).toEqual([CANCEL, 1, 0]);
    expect(types()).toEqual(['expect-connection', 'forget-connection']);
    forwarders.connected(1);
    await expect.poll(types).toContain('abort');
    expect(types()).toContain('cancel');
  });

  test.each([
    ['cancelling', (streams: Awaited<ReturnType<Forwarders['connect']>>) => streams.readable.cancel()],
    ['aborting', (streams: Awaited<ReturnType<Forwarders['connect']>>) => streams.writable.abort()],
  ])('are told to reset a connection by %s its stream', async (_, reset) => {
    const connecting = forwarders.connect('one', 80);
    forwarders.connected(1);
    await reset(await connecting);
    await fake().command();
    expect(await fake().command()).toEqual([CANCEL, 1, 0]);
  });

  test.each([
    [1, 'ESRCH'],
    [137, 'ESRCH'],
    [126, 'EAGAIN'],
  ])('end with status %i, and the next connection starts another one', async (status, code) => {
    const connecting = forwarders.connect('one', 80);
    const ports = forwarders.ports('one').getReader();
    fake().exit.resolve(status);
    await expect(connecting).rejects.toMatchObject({ name: 'ConnectError', code });
    expect(await ports.read()).toMatchObject({ done: true });
    forwarders.connect('one', 80).catch(() => {});
    expect(started).toHaveLength(2);
  });

  test('end with their machine', async () => {
    const connecting = forwarders.connect('one', 80);
    fake().exit.reject(new MachineError('the machine was stopped'));
    await expect(connecting).rejects.toThrow(MachineError);
  });

  test('report ports', async () => {
    const ports = forwarders.ports('one').getReader();
    expect(await fake().command()).toEqual([WATCH_PORTS, 0, 0]);
    fake().send(PORT_OPENED as number, 65_536, 0);
    fake().send(PORT_OPENED as number, 0, 0);
    fake().send(PORT_OPENED as number, 8000, 0);
    expect((await ports.read()).value).toEqual({ port: 8000, open: true });
  });
});

test('any bytes are events, in pieces of any size', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(70_000), fc.nat())), fc.nat(40), (events, size) => {
      const bytes = record(...events.flat());
      const reader = new ForwarderEventReader();
      const read = [];
      for (let at = 0; at < bytes.length; at += size + 1)
        read.push(...reader.push(bytes.slice(at, at + size + 1)));
      const expected = events.flatMap(([type, subject, error]): ForwarderEvent[] => {
        if (type === REFUSED) return [{ type: 'refused', connection: subject, error }];
        const isPort = type > 1 && type < 4 && subject > 0 && subject < 65_536;
        return isPort ? [{ type: 'port', port: subject, open: type === PORT_OPENED }] : [];
      });
      expect(read).toEqual(expected);
    }),
  );
});
