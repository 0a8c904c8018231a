/** Hosts as the URL standard writes them: `URL.hostname`, where every form of an IPv4 address is dotted decimal. */

/** Whether the host is this very machine, which needs no TLS. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    ipv4(hostname)?.[0] === 127
  );
}

/** Whether the host is written as an address, or the name, of a place that the internet cannot reach. */
export function isInternal(hostname: string): boolean {
  if (isLoopback(hostname)) return true;
  if (hostname.startsWith('[')) return isInternalIpv6(hostname.slice(1, -1));
  const [a, b = 0] = ipv4(hostname) ?? [];
  return a !== undefined && isInternalIpv4(a, b);
}

/** The special-purpose addresses of RFC 6890 and its updates, by their first two bytes. */
function isInternalIpv4(a: number, b: number): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
  if (a === 100) return b >= 64 && b < 128;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b < 32;
  if (a === 192) return b === 168 || b === 0;
  return a === 198 && (b === 18 || b === 19);
}

/** Only 2000::/3 is global, and even there some of it carries IPv4 addresses. */
function isInternalIpv6(address: string): boolean {
  const first = Number.parseInt(address, 16);
  const isGlobal = first >= 0x2000 && first < 0x4000;
  return !isGlobal || first === 0x2002 || /^2001:(0{1,4}|db8)?:/.test(address);
}

function ipv4(hostname: string): number[] | undefined {
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname.split('.').map(Number) : undefined;
}
