import { HERE_PATH, isLocalAddress, LOCAL_NAME } from '../preview/names.ts';

/**
 * Goes on from `localhost` to the page's own name on this machine, below which previews have their origins,
 * if that name leads to the same server. A browser that does not resolve it stays, without previews.
 * @returns whether the browser goes there
 */
export async function goesToLocalName(): Promise<boolean> {
  if (location.protocol !== 'http:' || !isLocalAddress(location.hostname)) return false;
  const there = new URL(location.href);
  there.hostname = LOCAL_NAME;
  const answer = await fetch(new URL(HERE_PATH, there)).catch(() => undefined);
  if (!answer?.ok) return false;
  location.replace(there);
  return true;
}
