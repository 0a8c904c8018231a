/** Ports of a container that are reached from outside, written as Docker does: `8080:80`. */
import { OptionError } from './option-error.mjs';

/** Docker listens on all addresses here. */
const DEFAULT_ADDRESS = '127.0.0.1';
const MAX_PORT = 65535;
const FORM = /^(?:(\d+(?:\.\d+){3}|\[[\da-f:.]+\]|localhost):)?(\d{1,5}):(\d{1,5})(?:\/(\w+))?$/i;

/**
 * @typedef {object} PublishedPort
 * @property {string} address where the host listens
 * @property {number} host its port, 0 for any free one
 * @property {number} container
 */

/**
 * @param {string} text `[ADDRESS:]HOST:CONTAINER[/tcp]`
 * @returns {PublishedPort}
 * @throws OptionError
 */
export function parsePort(text) {
  const [whole, address = DEFAULT_ADDRESS, host, container, protocol = 'tcp'] = FORM.exec(text.trim()) ?? [];
  if (whole === undefined)
    throw new OptionError(`"${text}" is no [ADDRESS:]HOST:CONTAINER, such as 8080:80 or [::1]:8080:80`);
  if (protocol.toLowerCase() !== 'tcp')
    throw new OptionError(`"${text}": only TCP ports can be published, because connections go by streams`);
  const port = { address, host: Number(host), container: Number(container) };
  if (port.host > MAX_PORT || port.container > MAX_PORT || port.container === 0)
    throw new OptionError(`"${text}": a port is 1 to ${MAX_PORT}, or 0 for any free one of the host`);
  return port;
}

/** @param {string} text entries with commas between them, or nothing @throws OptionError */
export function parsePorts(text) {
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  return entries.map(parsePort);
}
