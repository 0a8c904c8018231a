import { BlockList, isIP } from 'node:net';
import { type Limits, SESSION_LIMITS } from '../../network/limits.ts';
import { parseSwitch } from '../../options/switch.mjs';
import { clean } from '../../text/message.ts';
import { readHosts } from '../hosts.ts';
import type { QuotaLimits } from '../quotas.ts';

export interface RelayLimits extends QuotaLimits {
  /** Bytes of frames in each direction of a session. */
  readonly bytesPerSecond: number;
  /** The longest session, in ms. */
  readonly lifetime: number;
  /** A session ends after this time without a frame from its client, in ms. */
  readonly idle: number;
  /** Each client is asked for a sign of life after this time, and is dead after that silence, in ms. */
  readonly ping: number;
  readonly silence: number;
  readonly guest: Limits;
}

export interface RelayOptions {
  /** The server's names besides those of the loopback interface. */
  readonly hosts?: readonly string[] | undefined;
  /** Whether a proxy in front of this server writes X-Forwarded-For. */
  readonly trustProxy?: boolean | undefined;
  /** Signs the tokens. Without it, only this process takes its own. */
  readonly secret?: string | undefined;
  /** Whether only tokens that others have made with the secret are good. */
  readonly givesNoTokens?: boolean | undefined;
  /** Whether guests may not connect to an address, beside those that nobody may. */
  readonly isDenied?: ((address: string) => boolean) | undefined;
  readonly limits?: Partial<RelayLimits> | undefined;
  /** Addresses that lead to others instead. For tests. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Name servers instead of the system's. For tests. */
  readonly nameServers?: readonly string[] | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export const DEFAULT_LIMITS: RelayLimits = {
  concurrent: 64,
  concurrentPerClient: 2,
  // Sessions that are opened; pages come back after an interruption.
  burst: 30,
  rate: 0.5,
  bytesPerSecond: 20 << 20,
  lifetime: 8 * 60 * 60_000,
  idle: 10 * 60_000,
  ping: 10_000,
  silence: 28_000,
  guest: SESSION_LIMITS,
};

/** Of a server that is not public: more than a browser takes. */
const OWN_BYTES_PER_SECOND = 128 << 20;
const MIN_SECRET = 16;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables LINUXRUN_RELAY, LINUXRUN_RELAY_SECRET and LINUXRUN_RELAY_DENY, with those of the
 * server's names. By default a public server has no relay, because strangers would use it.
 * @returns undefined if there is to be no relay
 * @throws Error that names the wrong variable
 */
export function readRelayOptions(variables: Variables): RelayOptions | undefined {
  const hosts = readHosts(variables);
  const trustProxy = parseSwitch(variables.LINUXRUN_TRUST_PROXY ?? '');
  const isPublic = hosts.length > 0 || trustProxy;
  const isOn = readOnOff(variables.LINUXRUN_RELAY);
  const secret = readSecret(variables.LINUXRUN_RELAY_SECRET);
  const isDenied = readDenied(variables.LINUXRUN_RELAY_DENY);
  if (!(isOn ?? (!isPublic || secret !== undefined))) return undefined;
  const givesNoTokens = isOn === undefined && isPublic;
  const limits = isPublic ? {} : { bytesPerSecond: OWN_BYTES_PER_SECOND };
  return { hosts, trustProxy, secret, givesNoTokens, isDenied, limits };
}

function readOnOff(text = ''): boolean | undefined {
  if (text === '') return undefined;
  if (text !== 'on' && text !== 'off')
    throw new Error(`LINUXRUN_RELAY: "${clean(text)}" is neither on nor off; a server is its own relay`);
  return text === 'on';
}

function readSecret(text = ''): string | undefined {
  if (text === '') return undefined;
  if (Buffer.byteLength(text) < MIN_SECRET)
    throw new Error(
      `LINUXRUN_RELAY_SECRET has fewer than ${MIN_SECRET} bytes: take the output of "openssl rand -hex 32"`,
    );
  return text;
}

/** Reads addresses and networks (`192.0.2.0/24`) separated by commas. */
function readDenied(text = ''): ((address: string) => boolean) | undefined {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  if (entries.length === 0) return undefined;
  const list = new BlockList();
  for (const entry of entries) deny(list, entry);
  return (address) => list.check(address, familyOf(address));
}

function deny(list: BlockList, entry: string): void {
  const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const prefix = length === undefined ? bits : Number(length);
  if (prefix < 0 || prefix > bits)
    throw new Error(
      `LINUXRUN_RELAY_DENY: "${clean(entry)}" is neither an address nor a network such as 192.0.2.0/24`,
    );
  list.addSubnet(address, prefix, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
