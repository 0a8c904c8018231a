import { HERE_PATH, isLocalAddress, LOCAL_NAME } from '../preview/names.ts';

/** The longest wait for an answer, in ms: some resolvers do not answer for a name that they do not know. */
const PATIENCE = 2000;

/**
 * Goes on from `localhost` to the page's own name on this machine, below which previews have their origins,
 * if that name leads to the same server. A browser that does not resolve it stays, without previews.
 * @returns whether the browser goes there
 */
export async function goesToLocalName(): Promise<boolean> {
  if (location.protocol !== 'http:' || !isLocalAddress(location.hostname)) return false;
  const there = new URL(location.href);
  there.hostname = LOCAL_NAME;
  const signal = AbortSignal.timeout(PATIENCE);
  const answer = await fetch(new URL(HERE_PATH, there), { signal }).catch(() => undefined);
  if (!answer?.ok) return false;
  location.replace(there);
  return true;
}
