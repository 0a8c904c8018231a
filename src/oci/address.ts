/**
 * Hosts as the URL standard writes them: `URL.hostname`, where every form of an IPv4 address is dotted
 * decimal.
 */

/**
 * The IANA special-purpose registries (RFC 6890) and multicast (RFC 5771): none of these is a public host.
 */
const SPECIAL = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Looks public, but is the host's own service in Azure's virtual networks.
  '168.63.129.16/32',
  '[2001::]/23',
  '[2001:db8::]/32',
  '[2002::]/16',
  '[3fff::]/20',
].map(parseNetwork);

/** All global unicast addresses. Mapped IPv4, NAT64, unique local and link-local addresses are outside. */
const GLOBAL_IPV6 = parseNetwork('[2000::]/3');

const IPV4_LOOPBACK = parseNetwork('127.0.0.0/8');

interface Address {
  /** 32 or 128. */
  readonly width: number;
  readonly value: bigint;
}

interface Network extends Address {
  /** How many of the first bits all its addresses share. */
  readonly prefix: number;
}

/** Whether the host is this very machine, which needs no TLS. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true;
  const address = parseAddress(hostname);
  return address !== undefined && isIn(IPV4_LOOPBACK, address);
}

/** Whether the host is written as an address, or the name, of a place that the internet cannot reach. */
export function isInternal(hostname: string): boolean {
  if (isLoopback(hostname)) return true;
  const address = parseAddress(hostname);
  if (!address) return false;
  return (
    SPECIAL.some((network) => isIn(network, address)) ||
    (address.width === 128 && !isIn(GLOBAL_IPV6, address))
  );
}

/**
 * The eight 16-bit words of an IPv6 address as the URL standard writes it: lower-case hex, perhaps with `::`.
 */
export function ipv6Words(address: string): string[] {
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
}

function parseAddress(hostname: string): Address | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname))
    return { width: 32, value: join(hostname.split('.').map(Number), 8) };
  if (!hostname.startsWith('[')) return undefined;
  const words = ipv6Words(hostname.slice(1, -1)).map((word) => Number.parseInt(word, 16));
  return { width: 128, value: join(words, 16) };
}

function parseNetwork(text: string): Network {
  const [hostname = '', prefix] = text.split('/');
  const address = parseAddress(hostname);
  if (!address) throw new Error(`${text} is no network`);
  return { ...address, prefix: Number(prefix) };
}

function isIn({ width, value, prefix }: Network, address: Address): boolean {
  return address.width === width && (address.value ^ value) >> BigInt(width - prefix) === 0n;
}

function join(parts: readonly number[], bits: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n);
}
