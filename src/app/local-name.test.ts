import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { goesToLocalName } from './local-name.ts';

const replace = vi.fn();
const fetch = vi.fn();

function openAt(url: string): void {
  const { href, protocol, hostname } = new URL(url);
  vi.stubGlobal('location', { href, protocol, hostname, replace });
}

beforeEach(() => {
  replace.mockReset();
  fetch.mockReset().mockResolvedValue(new Response(null, { status: 204 }));
  vi.stubGlobal('fetch', fetch);
});
afterEach(() => vi.unstubAllGlobals());

it('goes on to the name of the page on this machine, with the link', async () => {
  openAt('http://localhost:8080/?LINUXRUN_IMAGE=a#b');
  expect(await goesToLocalName()).toBe(true);
  expect(String(fetch.mock.calls[0]?.[0])).toBe('http://linuxrun.localhost:8080/__linuxrun/here');
  expect(String(replace.mock.calls[0]?.[0])).toBe('http://linuxrun.localhost:8080/?LINUXRUN_IMAGE=a#b');
});

it.each([
  ['the browser does not resolve the name', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['another server answers', () => Promise.resolve(new Response(null, { status: 404 }))],
])('stays if %s', async (_, answer) => {
  fetch.mockImplementation(answer);
  openAt('http://localhost:8080/');
  expect(await goesToLocalName()).toBe(false);
  expect(replace).not.toHaveBeenCalled();
});

it('stays if the name is never resolved', async () => {
  const timedOut = new AbortController();
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(timedOut.signal);
  fetch.mockImplementation(
    (_, { signal }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  openAt('http://127.0.0.1:8080/');
  const isGoing = goesToLocalName();
  timedOut.abort();
  expect(await isGoing).toBe(false);
  expect(timeout).toHaveBeenCalledOnce();
  timeout.mockRestore();
});

it.each(['http://linuxrun.localhost:8080/', 'https://run.example.com/'])(
  'does not ask at %s',
  async (url) => {
    openAt(url);
    expect(await goesToLocalName()).toBe(false);
    expect(fetch).not.toHaveBeenCalled();
  },
);
