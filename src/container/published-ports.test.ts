import { expect, test } from 'vitest';
import { parsePort, parsePorts } from './published-ports.mjs';

const LOCAL = '127.0.0.1';

test.each([
  ['8080:80', { address: LOCAL, host: 8080, container: 80 }],
  [' 0:65535/tcp ', { address: LOCAL, host: 0, container: 65535 }],
  ['0.0.0.0:1:2/TCP', { address: '0.0.0.0', host: 1, container: 2 }],
  ['[::1]:1:2', { address: '[::1]', host: 1, container: 2 }],
  ['localhost:1:2', { address: 'localhost', host: 1, container: 2 }],
])('%s is a published port', (text, port) => expect(parsePort(text)).toEqual(port));

test.each([
  ['8080', /"8080" is no \[ADDRESS:\]HOST:CONTAINER/],
  ['::1:1:2', /is no \[ADDRESS:\]/],
  ['a:b', /is no \[ADDRESS:\]/],
  ['8080:', /is no \[ADDRESS:\]/],
  ['-1:80', /is no \[ADDRESS:\]/],
  ['53:53/udp', /only TCP ports/],
  ['1:0', /a port is 1 to 65535/],
  ['65536:1', /a port is 1 to 65535/],
  ['1:99999', /a port is 1 to 65535/],
])('%s is not', (text, message) => expect(() => parsePort(text)).toThrow(message));

test('a list has commas', () => {
  expect(parsePorts('')).toEqual([]);
  expect(parsePorts('8080:80, 1:2,')).toEqual([parsePort('8080:80'), parsePort('1:2')]);
  expect(() => parsePorts('8080:80,x')).toThrow(/"x"/);
});
