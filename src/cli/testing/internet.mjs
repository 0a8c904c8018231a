/**
 * An internet of one server, in a network namespace of its own: example.com is 93.184.216.34, and six.example
 * 2606:2800:220:1::1. The server also has private addresses, as a neighbour of the host might, and prints
 * each connection and datagram that reaches it: `tcp ADDRESS`, `udp`. By HTTP it serves the files of the
 * folder that is its argument.
 */
import { createSocket } from 'node:dgram';
import { serveFolder } from './serve-folder.mjs';

const A = 1;
const AAAA = 28;
const NAMES = {
  'example.com': [93, 184, 216, 34],
  'google.com': [142, 250, 80, 46],
  'private.example': [10, 1, 2, 3],
  'six.example': [0x26, 6, 0x28, 0, 2, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1],
  'private.six.example': [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3],
};

/** @param {Buffer} query */
function nameIn(query) {
  const labels = [];
  for (let at = 12, length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return labels.join('.');
}

/** @param {Buffer} query */
function answer(query) {
  const end = query.indexOf(0, 12) + 5;
  const address = NAMES[/** @type {keyof typeof NAMES} */ (nameIn(query))];
  const type = address?.length === 16 ? AAAA : A;
  const isAsked = address !== undefined && query.readUInt16BE(end - 4) === type;
  const record = isAsked ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length, ...address] : [];
  const reply = Buffer.concat([query.subarray(0, end), Buffer.from(record)]);
  reply.writeUInt16BE(address ? 0x8180 : 0x8183, 2);
  reply.writeUInt16BE(isAsked ? 1 : 0, 6);
  reply.writeUInt32BE(0, 8);
  return reply;
}

const names = createSocket('udp4').bind(53);
names.on('message', (query, { address, port }) => names.send(answer(query), port, address));

for (const family of /** @type {const} */ (['udp4', 'udp6'])) {
  const others = createSocket({ type: family, ipv6Only: family === 'udp6' });
  others.on('message', () => console.log('udp'));
  others.on('error', (error) => console.error(error.message));
  others.bind(9);
}

const server = serveFolder(process.argv[2] ?? '');
server.on('connection', ({ localAddress }) => console.log(`tcp ${localAddress?.replace('::ffff:', '')}`));
server.listen(80, () => console.log('up'));
