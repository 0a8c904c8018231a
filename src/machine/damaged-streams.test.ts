/** Agents and owners that take over damaged states: they refuse them, or go on. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agent } from './agent.ts';
import type { VsockStream } from './devices/vsock/device.ts';
import { StateError } from './errors.ts';
import { Processes } from './processes.ts';
import type { Plain } from './state.ts';
import { StreamMux } from './stream-mux.ts';
import { anyDamage } from './testing/damage.ts';

const RUNS = process.env.LONG_TESTS ? 100_000 : 500;
const TIMEOUT = process.env.LONG_TESTS ? 3_600_000 : 60_000;

const bytes = (length: number) => new Uint8Array(length);
const unread = { bytes: bytes(9), end: null };
const AGENT: Plain = {
  control: 1,
  pending: bytes(2),
  asked: 1,
  backlog: [bytes(6)],
  waiting: [{ port: 4, received: bytes(3) }],
  processes: [
    {
      ...{ id: 1, isStarted: true, hasEnded: false, input: unread, awaited: [3] },
      streams: { tokens: bytes(64), outputs: [1, 2, 3] },
      ports: [
        { descriptor: 0, port: 2 },
        { descriptor: 1, port: 3 },
      ],
    },
    {
      ...{ id: 2, isStarted: false, hasEnded: true, input: { bytes: bytes(0), end: '' }, awaited: [] },
      ...{ streams: null, ports: [] },
    },
  ],
};
const running = {
  ...{ container: 'one', hasTerminal: false, isStarted: true, status: null, takesInput: true },
  outputs: [unread, { bytes: bytes(0), end: '' }, unread],
};
const OWNER: Plain = {
  next: 5,
  processes: [
    { ...running, process: 1, kind: 'container' },
    { ...running, process: 2, kind: 'exec', hasTerminal: true, status: 3, outputs: [unread, unread] },
  ],
  others: [{ process: 3, ending: 'kill' }],
};
const RESUMPTION = { tick: 0n, time: 0n, entropy: bytes(32) };

function stream(localPort: number, remotePort: number): VsockStream {
  const [readable, writable] = [
    new ReadableStream<Uint8Array<ArrayBuffer>>(),
    new WritableStream<Uint8Array>(),
  ];
  return { localPort, remotePort, readable, writable, closedAtOnce: false };
}

/** Has an agent take a state over. */
function resumeAgent(state: Plain): void {
  const ports = new Set([1, 2, 3, 4]);
  const vsock = {
    listen: () => () => {},
    takeResumed: (local: number, remote: number) =>
      ports.delete(remote) ? stream(local, remote) : undefined,
  };
  const nothing = () => {};
  const events = { started: nothing, exited: nothing, lost: nothing, usage: nothing };
  const mux = new StreamMux(nothing);
  new Agent(vsock, mux, events).resume(state, RESUMPTION);
  mux.destroy(new Error('the end'));
}

function resumeOwner(state: Plain): void {
  const mux = new StreamMux(() => {});
  new Processes(mux, () => {}).resume(state);
  mux.destroy(new Error('the end'));
}

test.each([
  ['an agent', AGENT, resumeAgent],
  ['an owner', OWNER, resumeOwner],
])('%s refuses a damaged state, or goes on', { timeout: TIMEOUT }, (_name, state, resume) => {
  resume(state);
  let refused = 0;
  fc.assert(
    fc.property(anyDamage(2), (damage) => {
      try {
        resume(damage(state));
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        refused++;
      }
    }),
    { numRuns: RUNS },
  );
  expect(refused).toBeGreaterThan(RUNS / 10);
});
