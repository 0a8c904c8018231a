import { isInternal } from '../oci/address.ts';
import { type Address, formatAddress, isIpv6 } from './address.ts';
import type { Refusal, RefusalReason } from './refusal.ts';

/**
 * No service has port 0. Providers close hosts that send mail to port 25; mail programs use 465 and 587.
 */
const REFUSED_PORTS: readonly (number | undefined)[] = [0, 25];

export interface PolicyOptions {
  /** The addresses of the host. */
  ownAddresses(): readonly string[];
  /** Addresses that lead to others instead, also to internal ones. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Whether the operator of the network denies an address. */
  readonly isDenied?: ((address: string) => boolean) | undefined;
  /** Hears of each connection and packet that does not leave. */
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

/** Decides where the guest may connect to. */
export class Policy {
  readonly #options: PolicyOptions;
  readonly #counts: Partial<Record<RefusalReason, number>> = {};

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  /** Whether the guest may use IPv6: the host is in its internet. */
  get hasIpv6(): boolean {
    const { aliases = {}, ownAddresses } = this.#options;
    const isPublicIpv6 = (text: string) => text.includes(':') && !isInternal(hostnameOf(text));
    return ownAddresses().some(isPublicIpv6) || Object.keys(aliases).some((text) => text.includes(':'));
  }

  /** The address to connect to, or to ask for an echo; undefined if the guest may not. */
  destination(address: Address, port?: number): string | undefined {
    const text = formatAddress(address);
    const reason = REFUSED_PORTS.includes(port) ? 'port' : this.#objection(address);
    if (reason === undefined) return this.#options.aliases?.[text] ?? text;
    this.refuse(reason, address, port);
    return undefined;
  }

  /** Whether a name may have this address. */
  mayName(address: Address): boolean {
    return this.#objection(address) === undefined;
  }

  /** The number of refusals so far, by reason. */
  get counts(): Readonly<Partial<Record<RefusalReason, number>>> {
    return { ...this.#counts };
  }

  /** Counts a refusal that is not worth a report. */
  count(reason: RefusalReason): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
  }

  /** Reports that a connection or a packet does not leave. */
  refuse(reason: RefusalReason, address: Address, port?: number): void {
    const text = formatAddress(address);
    const destination = port === undefined ? text : `${hostnameOf(text)}:${port}`;
    this.#report({ destination, reason });
  }

  /** Reports that a name has no answer. */
  refuseName(reason: RefusalReason, name: string): void {
    this.#report({ destination: name, reason });
  }

  #report(refusal: Refusal): void {
    this.count(refusal.reason);
    this.#options.onRefused?.(refusal);
  }

  #objection(address: Address): RefusalReason | undefined {
    const { aliases, isDenied, ownAddresses } = this.#options;
    const text = formatAddress(address);
    if (aliases?.[text] !== undefined) return undefined;
    if (isInternal(hostnameOf(text)) || ownAddresses().includes(text)) return 'address';
    if (isIpv6(address) && !this.hasIpv6) return 'address';
    return isDenied?.(text) ? 'denied' : undefined;
  }
}

/** The address as the host of a URL. */
function hostnameOf(text: string): string {
  return text.includes(':') ? `[${text}]` : text;
}
