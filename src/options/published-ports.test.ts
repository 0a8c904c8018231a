import { expect, test } from 'vitest';
import { formatPort, parsePort, parsePorts } from './published-ports.mjs';

const LOCAL = '127.0.0.1';

test.each([
  ['8080:80', { address: LOCAL, host: 8080, container: 80 }],
  [' 0:65535/tcp ', { address: LOCAL, host: 0, container: 65535 }],
  ['0.0.0.0:1:2/TCP', { address: '0.0.0.0', host: 1, container: 2 }],
  ['[::1]:1:2', { address: '[::1]', host: 1, container: 2 }],
  ['localhost:1:2', { address: 'localhost', host: 1, container: 2 }],
])('%s is a published port', (text, port) => expect(parsePort(text)).toEqual([port]));

test('ranges are several', () => {
  expect(parsePort('10.0.0.1:8000-8002:80-82/tcp')).toEqual(
    [0, 1, 2].map((index) => ({ address: '10.0.0.1', host: 8000 + index, container: 80 + index })),
  );
});

test.each([
  ['', /"" is no \[ADDRESS:\]HOST:CONTAINER/],
  ['8080', /"8080" is no \[ADDRESS:\]HOST:CONTAINER/],
  ['8080:', /is no \[ADDRESS:\]/],
  ['a:b', /is no \[ADDRESS:\]/],
  ['-1:80', /is no \[ADDRESS:\]/],
  ['1:123456', /is no \[ADDRESS:\]/],
  ['::1:1:2', /"::1" is no address/],
  ['[1::2::3]:1:2', /is no address/],
  ['256.0.0.1:1:2', /"256.0.0.1" is no address/],
  ['example.com:1:2', /"example.com" is no address/],
  ['53:53/udp', /only TCP ports/],
  ['1:0', /a port is 1 to 65535/],
  ['65536:1', /a port is 1 to 65535/],
  ['1:99999', /a port is 1 to 65535/],
  ['8000-8005:80', /ranges are of the same length/],
  ['8005-8000:85-80', /ranges are of the same length/],
  ['1-60000:1-60000', /more than 512 ports/],
])('"%s" is not', (text, message) => expect(() => parsePort(text)).toThrow(message));

test.each(['8080:80', '0:1', '0.0.0.0:1:2', '[::1]:1:2', 'localhost:1:2'])('%s is written again', (text) => {
  expect(parsePort(text).map(formatPort)).toEqual([text]);
});

test('a list has commas', () => {
  expect(parsePorts('')).toEqual([]);
  expect(parsePorts('8080:80, 1:2,')).toEqual([...parsePort('8080:80'), ...parsePort('1:2')]);
  expect(() => parsePorts('8080:80,x')).toThrow(/"x"/);
  expect(() => parsePorts('1-300:1-300,1-300:1-300')).toThrow(/more than 512 ports/);
});
