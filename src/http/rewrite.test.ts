import { expect, test } from 'vitest';
import { toBrowser, toServer } from './rewrite.ts';

const PREVIEW = 'http://8000-ab12.linuxrun.localhost:5173';
const originOf = (port: number) => (port === 9 ? undefined : `http://${port}-ab12.linuxrun.localhost:5173`);

test('a server sees its own name instead of the preview', () => {
  const seen = toServer(
    [
      ['Origin', PREVIEW],
      ['Referer', `${PREVIEW}/a?b`],
      ['X-Origin', PREVIEW],
    ],
    8000,
    PREVIEW,
  );
  expect(seen).toEqual([
    ['Origin', 'http://localhost:8000'],
    ['Referer', 'http://localhost:8000/a?b'],
    ['X-Origin', PREVIEW],
  ]);
});

test('other origins stay visible to the server', () => {
  for (const origin of ['null', `${PREVIEW}0`, 'https://elsewhere.example', `${PREVIEW}.evil.example`])
    expect(toServer([['Origin', origin]], 8000, PREVIEW)).toEqual([['Origin', origin]]);
});

test('redirects to the server lead to its preview', () => {
  const location = (value: string) => toBrowser([['Location', value]], originOf)[0]?.[1];
  expect(location('http://localhost:8000/a?b#c')).toBe(`${PREVIEW}/a?b#c`);
  expect(location('http://127.0.0.1:8000')).toBe(PREVIEW);
  expect(location('HTTP://[::1]:8000/')).toBe(`${PREVIEW}/`);
  expect(location('http://0.0.0.0/x')).toBe('http://80-ab12.linuxrun.localhost:5173/x');
  expect(location('http://localhost:3000?x')).toBe('http://3000-ab12.linuxrun.localhost:5173?x');
});

test('other URLs stay as they are', () => {
  for (const value of [
    '/a',
    '//localhost:8000/',
    'https://localhost:8000/',
    'http://localhost.example:8000/',
    'http://localhost:8000@evil.example/',
    'http://user@localhost:8000/',
    'http://localhost:8000.example/',
    'http://localhost:9/',
  ])
    expect(toBrowser([['location', value]], originOf)).toEqual([['location', value]]);
});
