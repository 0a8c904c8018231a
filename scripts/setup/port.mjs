/** The port of the page's server, which the set-up checks before it builds anything. */
import { createServer } from 'node:net';
import { OptionError } from '../../src/options/option-error.mjs';

export const DEFAULT_PORT = 8080;
/** The loopback interface. */
export const INTERFACE = 'localhost';
const MAX_PORT = 65535;
/** The number of ports that are tried for a free one. */
const TRIES = 20;

/** @param {string | undefined} text the variable PORT @throws OptionError */
export function readPort(text) {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > MAX_PORT)
    throw new OptionError(`PORT must be a number from 0 to ${MAX_PORT}, not "${text}"`);
  return port;
}

/**
 * @param {number} port
 * @param {string} command the user's
 * @throws OptionError when it cannot be listened on
 */
export async function checkPort(port, command) {
  const error = await listen(port);
  if (error) throw await portError(error, port, command);
}

/**
 * Explains why a port cannot be listened on. Another one is the user's choice, because it is another origin:
 * its page has a store of its own.
 * @param {NodeJS.ErrnoException} error
 * @param {number} port
 * @param {string} command the user's
 */
export async function portError({ code, message }, port, command) {
  const reasons = { EADDRINUSE: 'is in use', EACCES: 'may not be used by this user' };
  const reason = reasons[/** @type {keyof typeof reasons} */ (code)];
  if (!reason) return new OptionError(`cannot listen on port ${port}: ${message}`);
  const other = `PORT=${await findFreePort(port)} ${command}`;
  return new OptionError(
    `port ${port} ${reason}: "${other}" takes another one, whose page stores images anew`,
  );
}

/** @param {number} port @returns {Promise<number>} 0, for any, when all that are tried are taken */
async function findFreePort(port) {
  const first = Math.max(port + 1, DEFAULT_PORT);
  const ports = Array.from({ length: TRIES }, (_, n) => first + n).filter((each) => each <= MAX_PORT);
  for (const each of ports) if (!(await listen(each))) return each;
  return 0;
}

/** @param {number} port @returns {Promise<NodeJS.ErrnoException | undefined>} why it cannot be listened on */
function listen(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, INTERFACE, () => server.close(() => resolve(undefined)));
  });
}
