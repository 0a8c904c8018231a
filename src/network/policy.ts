import { isInternal } from '../oci/address.ts';
import { formatAddress } from './ipv4.ts';

/**
 * No service has port 0. Providers close hosts that send mail to port 25; mail programs use 465 and 587.
 */
const REFUSED_PORTS: readonly (number | undefined)[] = [0, 25];

/** Decides where the guest may connect to. */
export class Policy {
  readonly #ownAddresses: () => readonly string[];
  readonly #aliases: Readonly<Record<string, string>>;

  /** @param aliases addresses that lead to others instead, wherever these are */
  constructor(ownAddresses: () => readonly string[], aliases: Readonly<Record<string, string>> = {}) {
    this.#ownAddresses = ownAddresses;
    this.#aliases = aliases;
  }

  /** The address to connect to, or to ask for an echo; undefined if the guest may not. */
  destination(address: number, port?: number): string | undefined {
    return REFUSED_PORTS.includes(port) ? undefined : this.#reach(formatAddress(address));
  }

  /** Whether a name may have this address. */
  mayName(address: string): boolean {
    return this.#reach(address) !== undefined;
  }

  #reach(address: string): string | undefined {
    const alias = this.#aliases[address];
    if (alias !== undefined) return alias;
    return isInternal(address) || this.#ownAddresses().includes(address) ? undefined : address;
  }
}
