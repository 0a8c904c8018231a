import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CookieJar, type CookieOptions } from './cookie-jar.ts';

const ORIGIN = 'http://localhost:8000';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) }));
afterEach(() => void vi.useRealTimers());

/** The Cookie field for a URL after responses of another have set cookies. */
function sent(setCookies: string[], { from = '/', to = '/', ...options }: Record<string, string> = {}) {
  const jar = new CookieJar();
  jar.store(new URL(from, ORIGIN).href, setCookies);
  return jar.cookiesFor(new URL(to, ORIGIN).href, options);
}

describe('values', () => {
  test.each<[string, string | undefined]>([
    ['a=b', 'a=b'],
    ['  a  =  b  ; Path=/', 'a=b'],
    ['a=b=c', 'a=b=c'],
    ['a="b c, d"', 'a="b c, d"'],
    ['a=%20', 'a=%20'],
    ['a=', 'a='],
    ['just', 'just'],
    ['=b', 'b'],
    ['', undefined],
    ['=', undefined],
    [`a=${'x'.repeat(4095)}`, `a=${'x'.repeat(4095)}`],
    [`a=${'x'.repeat(4096)}`, undefined],
    ['a=b\x01', undefined],
    ['a=b; Path=/x\x00', undefined],
    [`a=b; Path=/${'x'.repeat(1024)}`, 'a=b'],
  ])('%j', (setCookie, expected) => {
    expect(sent([setCookie])).toBe(expected);
  });

  test('a later cookie replaces one of the same name and path, and keeps its place', () => {
    expect(sent(['a=1', 'b=2', 'a=3'])).toBe('a=3; b=2');
    expect(sent(['a=1; Path=/', 'a=2; Path=/x'], { to: '/x/y' })).toBe('a=2; a=1');
  });
});

describe('time', () => {
  test('Expires and Max-Age end a cookie', () => {
    const jar = new CookieJar();
    const date = new Date(Date.now() + 60_000).toUTCString();
    jar.store(ORIGIN, [
      `a=1; Expires=${date}`,
      'b=2; Max-Age=120',
      `c=3; Max-Age=240; Expires=${date}`,
      'd=4',
    ]);
    expect(jar.cookiesFor(ORIGIN)).toBe('a=1; b=2; c=3; d=4');
    vi.advanceTimersByTime(60_001);
    expect(jar.cookiesFor(ORIGIN)).toBe('b=2; c=3; d=4');
    vi.advanceTimersByTime(60_000);
    expect(jar.cookiesFor(ORIGIN)).toBe('c=3; d=4');
  });

  test('a cookie of the past deletes', () => {
    expect(sent(['a=1', 'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])).toBeUndefined();
    expect(sent(['a=1', 'a=2; Max-Age=0'])).toBeUndefined();
    expect(sent(['a=1', 'a=2; Max-Age=-5'])).toBeUndefined();
  });

  test('invalid times are ignored, and 400 days are the most', () => {
    expect(sent(['a=1; Expires=tomorrow', 'b=2; Max-Age=1e9', 'c=3; Max-Age=x'])).toBe('a=1; b=2; c=3');
    const jar = new CookieJar();
    jar.store(ORIGIN, ['a=1; Max-Age=99999999999999999999999', 'b=2; Expires=Fri, 01 Jan 9999 00:00:00 GMT']);
    expect(jar.cookiesFor(ORIGIN)).toBe('a=1; b=2');
    vi.setSystemTime(Date.now() + 401 * 24 * 60 * 60 * 1000);
    expect(jar.cookiesFor(ORIGIN)).toBeUndefined();
  });
});

test.each<[string, string, string, string | undefined]>([
  ['a=1; Path=/x', '/', '/x', 'a=1'],
  ['a=1; Path=/x', '/', '/x/y', 'a=1'],
  ['a=1; Path=/x/', '/', '/x/y', 'a=1'],
  ['a=1; Path=/x', '/', '/xy', undefined],
  ['a=1; Path=/x/', '/', '/x', undefined],
  ['a=1; Path=x', '/p/q', '/p/r', 'a=1'],
  ['a=1', '/p/q', '/p', 'a=1'],
  ['a=1', '/p/q', '/', undefined],
  ['a=1', '/p', '/z', 'a=1'],
])('%s from %s for %s', (setCookie, from, to, expected) => {
  expect(sent([setCookie], { from, to })).toBe(expected);
});

test('hosts, ports and protocols have cookies of their own', () => {
  const jar = new CookieJar();
  jar.store(ORIGIN, ['a=1; Domain=localhost', 'b=2']);
  for (const other of ['http://localhost:8001', 'https://localhost:8000', 'http://x.localhost:8000'])
    expect(jar.cookiesFor(other)).toBeUndefined();
  expect(jar.cookiesFor(ORIGIN)).toBe('a=1; b=2');
});

test('a Domain must include the host', () => {
  const jar = new CookieJar();
  jar.store('http://8000-x.linuxrun.localhost', [
    'a=1; Domain=.Linuxrun.localhost',
    'b=2; Domain=run.localhost',
  ]);
  expect(jar.cookiesFor('http://8000-x.linuxrun.localhost')).toBe('a=1');
  jar.store('http://127.0.0.1', ['a=1; Domain=0.0.1', 'b=2; Domain=127.0.0.1', 'c=3; Domain=']);
  expect(jar.cookiesFor('http://127.0.0.1')).toBe('b=2; c=3');
});

test('secure cookies need https, or this computer', () => {
  const jar = new CookieJar();
  for (const [origin, expected] of [
    ['http://site.example', undefined],
    ['https://site.example', 'a=1'],
    ['http://localhost:8000', 'a=1'],
    ['http://8000-x.linuxrun.localhost', 'a=1'],
    ['http://127.0.0.1:8000', 'a=1'],
    ['http://[::1]:8000', 'a=1'],
    ['http://notlocalhost', undefined],
    ['http://localhost.example', undefined],
  ] as const) {
    jar.store(origin, ['a=1; Secure']);
    expect(jar.cookiesFor(origin), origin).toBe(expected);
  }
});

test('scripts neither see nor set HttpOnly cookies', () => {
  const jar = new CookieJar();
  jar.store(ORIGIN, ['a=1; HttpOnly', 'b=2']);
  jar.store(ORIGIN, ['a=3', 'c=4; HttpOnly', 'd=5'], { script: true });
  expect(jar.cookiesFor(ORIGIN, { script: true })).toBe('b=2; d=5');
  expect(jar.cookiesFor(ORIGIN)).toBe('a=1; b=2; d=5');
});

test('other sites get and set only the cookies that SameSite allows', () => {
  const all = ['s=1; SameSite=Strict', 'l=2; SameSite=Lax', 'd=3', 'n=4; SameSite=None; Secure'];
  const seen = (stored: CookieOptions, asked: CookieOptions) => {
    const jar = new CookieJar();
    jar.store(ORIGIN, [...all, 'i=5; SameSite=None'], stored);
    return jar.cookiesFor(ORIGIN, asked);
  };
  expect(seen({}, {})).toBe('s=1; l=2; d=3; n=4');
  expect(seen({}, { initiator: 'cross-site navigation' })).toBe('l=2; d=3; n=4');
  expect(seen({}, { initiator: 'cross-site' })).toBe('n=4');
  expect(seen({ initiator: 'cross-site navigation' }, {})).toBe('s=1; l=2; d=3; n=4');
  expect(seen({ initiator: 'cross-site' }, {})).toBe('n=4');
});

test.each<[string, string | undefined]>([
  ['__Secure-a=1; Secure', '__Secure-a=1'],
  ['__Secure-a=1', undefined],
  ['__host-a=1; Secure; Path=/', '__host-a=1'],
  ['__Host-a=1; Path=/', undefined],
  ['__Host-a=1; Secure; Path=/x', undefined],
  ['__Host-a=1; Secure; Path=/; Domain=localhost', undefined],
  ['=__Host-a=1; Secure; Path=/', undefined],
  ['__Secure-a; Secure', undefined],
])('%s', (setCookie, expected) => {
  expect(sent([setCookie])).toBe(expected);
});

test('180 cookies of 100 origins are kept; those used longest ago go', () => {
  const jar = new CookieJar();
  const many = Array.from({ length: 180 }, (_, index) => `c${index}=; Path=/${index}`);
  jar.store(ORIGIN, many);
  jar.cookiesFor(`${ORIGIN}/0`);
  jar.store(ORIGIN, ['new=; Path=/new']);
  expect(jar.cookiesFor(`${ORIGIN}/0`)).toBe('c0=');
  expect(jar.cookiesFor(`${ORIGIN}/1`)).toBeUndefined();
  expect(jar.cookiesFor(`${ORIGIN}/2`)).toBe('c2=');
  for (let port = 1; port < 100; port++) jar.store(`http://localhost:${port}`, ['a=1']);
  expect(jar.cookiesFor(`${ORIGIN}/2`)).toBe('c2=');
  jar.store('http://localhost:100', ['a=1']);
  expect(jar.cookiesFor(`${ORIGIN}/2`)).toBeUndefined();
});

test('no field makes the jar fail, or a Cookie field with another line', () => {
  const part = fc.oneof(
    fc.constantFrom(';', '=', 'Path=/', 'Domain', 'Max-Age=', 'Expires=', '__proto__'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(sent([parts.join('')]) ?? '').not.toMatch(/[\r\n\0]/);
    }),
  );
});
