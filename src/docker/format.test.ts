import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatObject, formatRows, formatTime, truncate } from './format.ts';

const COLUMNS = { 'CONTAINER ID': 'ID', NAMES: 'Names' };
const ROWS = [
  { ID: 'abc', Names: 'web', Up: 3 },
  { ID: 'defgh', Names: 'db', Up: 4 },
];

describe('rows', () => {
  it.each([
    [undefined, 'CONTAINER ID   NAMES\nabc            web\ndefgh          db\n'],
    ['table', 'CONTAINER ID   NAMES\nabc            web\ndefgh          db\n'],
    ['table {{.Names}}\\t{{.Up}}', 'NAMES   UP\nweb     3\ndb      4\n'],
    ['{{.Names}}: {{ .Up }}', 'web: 3\ndb: 4\n'],
    ['json', '{"ID":"abc","Names":"web","Up":3}\n{"ID":"defgh","Names":"db","Up":4}\n'],
    ['{{json .Names}}', '"web"\n"db"\n'],
    ['{{json .}}', '{"ID":"abc","Names":"web","Up":3}\n{"ID":"defgh","Names":"db","Up":4}\n'],
    ['a\\tb\\\\n', 'a\tb\\n\na\tb\\n\n'],
  ])('as %s', (format, text) => {
    expect(formatRows(ROWS, format, COLUMNS)).toBe(text);
  });

  it.each([
    ['{{.Nmaes}}', 'template: there is no .Nmaes; there are .ID, .Names, .Up'],
    ['{{.constructor}}', 'template: there is no .constructor'],
    ['{{range .Names}}', 'template: {{range .Names}} is neither {{.Field}} nor {{json .Field}}'],
  ])('refuses %s', (format, message) => {
    expect(() => formatRows(ROWS, format, COLUMNS)).toThrow(message);
  });

  it('shows only titles without rows', () => {
    expect(formatRows([], undefined, COLUMNS)).toBe('CONTAINER ID   NAMES\n');
    expect(formatRows([], '{{.Names}}', COLUMNS)).toBe('');
  });
});

describe('an object', () => {
  const object = { State: { Status: 'running', Pid: 3 }, Args: ['a', 'b'], Nothing: null };

  it.each([
    ['{{.State.Status}}', 'running\n'],
    ['{{.Args}} {{.State}}', '[a b] map[Status:running Pid:3]\n'],
    ['{{json .State}}', '{"Status":"running","Pid":3}\n'],
    ['{{.Nothing}}', '<nil>\n'],
  ])('as %s', (format, text) => {
    expect(formatObject(object, format)).toBe(text);
  });
});

it.each([
  [0, 'Less than a second'],
  [1_000, '1 second'],
  [59_000, '59 seconds'],
  [90_000, 'About a minute'],
  [120_000, '2 minutes'],
  [3_700_000, 'About an hour'],
  [47 * 3_600_000, '47 hours'],
  [48 * 3_600_000, '2 days'],
  [14 * 86_400_000, '2 weeks'],
])('%i ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it.each([
  [0, '0B'],
  [999, '999B'],
  [4096, '4.1kB'],
  [1_762_816, '1.76MB'],
  [520_700_000, '521MB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it('writes times and long texts as Docker does', () => {
  expect(formatTime(Date.UTC(2026, 10, 28, 14, 5, 9))).toBe('2026-11-28 14:05:09 +0000 UTC');
  expect(truncate('123456', 5)).toBe('1234…');
  expect(truncate('12345', 5)).toBe('12345');
});
