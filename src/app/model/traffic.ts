import type { NetworkStatus } from '../../api/public.ts';
import { count, formatBytes } from './format.ts';

/** The network, as the page shows it. */
export interface Traffic {
  readonly status: NetworkStatus;
  /** Bytes a second since the status before. */
  readonly receiving: number;
  readonly sending: number;
  /** When the status came, in ms. */
  readonly at: number;
}

/** Shorter times between two reports say nothing about the rate, in ms. */
const SHORTEST = 500;

/** @param now as of `performance.now` */
export function advanceTraffic(before: Traffic | undefined, status: NetworkStatus, now: number): Traffic {
  if (!before || status.state !== 'up') return { status, receiving: 0, sending: 0, at: now };
  const time = now - before.at;
  if (time < SHORTEST) return { ...before, status };
  const rate = (bytes: number) => Math.max(0, (bytes * 1000) / time);
  return {
    status,
    receiving: rate(status.received - before.status.received),
    sending: rate(status.sent - before.status.sent),
    at: now,
  };
}

const STATES: Record<NetworkStatus['state'], string> = {
  idle: 'ready',
  connecting: 'connecting',
  up: 'connected',
  down: 'down',
  off: 'off',
};

/** The network in a few words. */
export function briefTraffic({ status, receiving, sending }: Traffic): string {
  const isBusy = status.state === 'up' && receiving + sending > 0;
  return isBusy ? `${formatRate(receiving)} down, ${formatRate(sending)} up` : STATES[status.state];
}

export const formatRate = (bytes: number): string => `${formatBytes(bytes)}/s`;

type Refusal = NonNullable<NetworkStatus['refusal']>;

const REFUSALS: Record<Refusal['reason'], string> = {
  address: 'the address is not public',
  packet: 'it is no packet that a network passes on',
  port: 'nobody may connect to this port',
  denied: 'the operator of the relay denies this address',
  connections: 'there are too many connections, or they come too fast',
  sockets: 'too many addresses are sent to by UDP',
  names: 'too many names are asked for',
  echo: 'the relay asks for no more echoes',
};

/** The number of refusals, and the latest one with its reason. */
export function describeRefusals({ refused = 0, refusal }: NetworkStatus): string | undefined {
  if (!refusal) return refused > 0 ? count(refused, 'connection') : undefined;
  const latest = `${refusal.destination}, because ${REFUSALS[refusal.reason]}`;
  return refused > 1 ? `${refused}, the latest to ${latest}` : latest;
}

const LIMITS: Record<NonNullable<NetworkStatus['limits']>[number], string> = {
  rate: 'The server slows the transfer down to this rate.',
  connections: 'The container has all the connections that it may have.',
};

/** A sentence for each limit that holds the guest back. */
export const describeLimits = ({ limits = [] }: NetworkStatus): string =>
  limits.map((limit) => LIMITS[limit]).join(' ');
