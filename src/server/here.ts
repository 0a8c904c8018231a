import type { Context } from 'hono';
import { isLocalAddress, LOCAL_NAME } from '../preview/names.ts';

/**
 * Tells a page at `localhost` that its name on this machine leads to its own server. No other page may learn
 * that the server runs.
 */
export function answerHere(context: Context): Response {
  const { hostname, port } = new URL(context.req.url);
  const origin = context.req.header('Origin') ?? '';
  const asking = URL.canParse(origin) ? new URL(origin) : undefined;
  context.header('Vary', 'Origin');
  if (hostname !== LOCAL_NAME || !asking || !isLocalAddress(asking.hostname) || asking.port !== port)
    return context.text('Not found\n', 404);
  context.header('Access-Control-Allow-Origin', origin);
  return context.body(null, 204);
}
