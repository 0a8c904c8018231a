import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatMessage,
  formatTokenAnswer,
  MAX_TEXT,
  offerProtocols,
  parseClientMessage,
  parseProtocols,
  parseRelayMessage,
  parseTokenAnswer,
  RELAY_PROTOCOL,
  type RelayMessage,
  RelayProtocolError,
} from './relay-protocol.ts';

const MESSAGES: readonly RelayMessage[] = [
  { type: 'config', mtu: 65_520, offloads: true, rate: 20 << 20, connections: 128 },
  { type: 'ack', bytes: 262_144 },
  { type: 'limit', active: ['rate', 'connections'], refused: 3 },
  { type: 'limit', active: [], refused: 0 },
  { type: 'refused', destination: '10.0.0.1:80', reason: 'address' },
  { type: 'refused', destination: '192.168.0.1', reason: 'echo' },
  { type: 'refused', destination: '[fd00::1]:443', reason: 'address' },
  { type: 'refused', destination: 'fd00::1', reason: 'denied' },
  { type: 'refused', destination: 'printer.local', reason: 'address' },
  { type: 'refused', destination: '', reason: 'names' },
  { type: 'error', reason: 'idle' },
];

describe('messages of a relay', () => {
  test.each(MESSAGES)('$type is read as it was written', (message) => {
    expect(parseRelayMessage(formatMessage(message))).toEqual(message);
  });

  test.each([
    '',
    'null',
    '[]',
    '"ack"',
    '{}',
    '{"type":"shout"}',
    '{"type":"ack"}',
    '{"type":"ack","bytes":0}',
    '{"type":"ack","bytes":-1}',
    '{"type":"ack","bytes":1.5}',
    '{"type":"ack","bytes":"1"}',
    '{"type":"ack","bytes":1e300}',
    '{"type":"config","mtu":65521,"offloads":true,"rate":1,"connections":1}',
    '{"type":"config","mtu":575,"offloads":true,"rate":1,"connections":1}',
    '{"type":"config","mtu":1500,"offloads":1,"rate":1,"connections":1}',
    '{"type":"config","mtu":1500,"offloads":true,"rate":0,"connections":1}',
    '{"type":"limit","active":"rate","refused":0}',
    '{"type":"limit","active":["luck"],"refused":0}',
    '{"type":"limit","active":["rate","rate","rate"],"refused":0}',
    '{"type":"refused","destination":"a b","reason":"address"}',
    `{"type":"refused","destination":"${'a'.repeat(301)}","reason":"address"}`,
    '{"type":"refused","destination":"10.0.0.1\\n","reason":"address"}',
    '{"type":"refused","destination":"10.0.0.1","reason":"toString"}',
    '{"type":"error","reason":"<script>"}',
  ])('%j is refused', (text) => {
    expect(() => parseRelayMessage(text)).toThrow(RelayProtocolError);
  });

  test('gives only the fields of its type', () => {
    expect(parseRelayMessage('{"type":"ack","bytes":1,"__proto__":{"a":1},"more":2}')).toEqual({
      type: 'ack',
      bytes: 1,
    });
  });
});

describe('messages of a client', () => {
  test('are acknowledgements', () => {
    expect(parseClientMessage(formatMessage({ type: 'ack', bytes: 5 }))).toEqual({ type: 'ack', bytes: 5 });
  });

  test('are nothing else', () => {
    for (const message of MESSAGES.filter(({ type }) => type !== 'ack'))
      expect(() => parseClientMessage(formatMessage(message))).toThrow(RelayProtocolError);
  });
});

test('any text is a message or a protocol error', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ type: value })),
  );
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parseRelayMessage, parseClientMessage]) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(RelayProtocolError);
        }
      }
    }),
  );
});

test('long texts are not parsed', () => {
  const text = `{"type":"ack","bytes":1${' '.repeat(MAX_TEXT)}}`;
  expect(() => parseRelayMessage(text)).toThrow(/too long/);
  expect(() => parseClientMessage(text)).toThrow(/too long/);
});

describe('subprotocols', () => {
  test('carry the token', () => {
    expect(parseProtocols(offerProtocols('abc_-.9').join(', '))).toEqual({ isOurs: true, token: 'abc_-.9' });
  });

  test.each([
    [undefined, false, undefined],
    ['', false, undefined],
    ['binary', false, undefined],
    ['token.x', false, 'x'],
    [RELAY_PROTOCOL, true, undefined],
    [`${RELAY_PROTOCOL}, token.`, true, undefined],
    [`${RELAY_PROTOCOL}, token.a b`, true, undefined],
    [`${RELAY_PROTOCOL}, token.${'a'.repeat(513)}`, true, undefined],
  ])('%j', (header, isOurs, token) => {
    expect(parseProtocols(header)).toEqual({ isOurs, token });
  });
});

describe('answers to the request for a token', () => {
  test.each([{ token: 'a.b' }, { refused: 'sessions', message: 'close a tab' } as const])('%j', (answer) => {
    expect(parseTokenAnswer(formatTokenAnswer(answer))).toEqual(answer);
  });

  test.each(['<!doctype html>', '', '{"token":7}', '{"token":"a b"}', '{"refused":"missing","message":"x"}'])(
    '%j comes from a host without a relay',
    (text) => {
      expect(parseTokenAnswer(text)).toMatchObject({ refused: 'missing' });
    },
  );

  test('the message is one line', () => {
    expect(parseTokenAnswer('{"refused":"off","message":"a\\u001b[31m\\nb"}')).toEqual({
      refused: 'off',
      message: 'a [31m b',
    });
  });
});
