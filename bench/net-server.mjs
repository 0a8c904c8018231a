/**
 * The server that `bench/guest/net.c` talks to, a process of its own so that its processor time does not
 * count. It prints its port. A connection begins with a line: `down BYTES`, `up BYTES` or `echo COUNT`.
 */
import { createServer } from 'node:net';

const piece = Buffer.alloc(64 << 10, 'linuxrun');

/**
 * @param {import('node:net').Socket} socket
 * @param {number} size
 */
async function send(socket, size) {
  for (let left = size; left > 0; left -= piece.length) {
    if (!socket.write(piece.subarray(0, Math.min(left, piece.length))))
      await new Promise((resolve) => socket.once('drain', resolve));
  }
}

/**
 * @param {import('node:net').Socket} socket
 * @param {string} mode
 * @param {number} amount
 * @param {Buffer} rest what came after the line
 */
function serve(socket, mode, amount, rest) {
  let left = amount - rest.length;
  if (mode === 'down') {
    void send(socket, amount);
  } else if (mode === 'up') {
    socket.on('data', (data) => {
      left -= data.length;
      if (left === 0) socket.write('k');
    });
  } else {
    socket.write(rest);
    socket.pipe(socket);
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (data) => {
    const end = data.indexOf('\n');
    const [mode = '', amount] = data.toString('latin1', 0, end).split(' ');
    serve(socket, mode, Number(amount), data.subarray(end + 1));
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
});
