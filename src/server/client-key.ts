import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { ipv6Words } from '../oci/address.ts';

/** Who has sent a request, for quotas. */
export interface Sender {
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Tests may ask without a connection. */
export function senderOf(context: Context): Sender {
  const { incoming } = (context.env ?? {}) as Partial<HttpBindings>;
  return incoming ?? { headers: {}, socket: {} };
}

/**
 * Returns the client to count a request for.
 * @param trustProxy whether a proxy in front writes X-Forwarded-For, so that its last address is the client's
 */
export function clientOf(sender: Sender, trustProxy: boolean): string {
  const forwarded = trustProxy
    ? String(sender.headers['x-forwarded-for'] ?? '')
        .split(',')
        .at(-1)
        ?.trim()
    : undefined;
  return clientKey(forwarded || (sender.socket.remoteAddress ?? ''));
}

/** An IPv6 client has a /64 to choose addresses from. */
export function clientKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIP(plain) !== 6) return plain;
  return ipv6Words(new URL(`http://[${plain}]`).hostname.slice(1, -1))
    .slice(0, 4)
    .join(':');
}
