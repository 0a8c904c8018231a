/**
 * The server, with its relay, of the page that `net-chromium.ts` measures, in a process of its own. It prints
 * its URL. Arguments: the guest's address of the loopback interface, and the folders to serve.
 */
import { DEFAULT_LIMITS } from '../src/server/relay/options.ts';
import { Relay } from '../src/server/relay/relay.ts';
import { startServer } from '../src/server/server.ts';

const [host = '', ...roots] = process.argv.slice(2);
const limits = { ...DEFAULT_LIMITS, bytesPerSecond: 2 ** 30 };
const relay = new Relay({ aliases: { [host]: '127.0.0.1' }, limits, log: console.error });
const { url } = await startServer(roots, 0, { relay });
console.log(url);
