/** Ports of a container that are reached from outside, written as for Docker's `-p`: `8080:80`. */
import { OptionError } from './option-error.mjs';

/** Docker listens on all addresses here. */
const DEFAULT_ADDRESS = '127.0.0.1';
const MAX_PORT = 65535;
/** The connections that a container may have (`kernel/init/connection.c`), and publish ports. */
export const MAX_CONNECTIONS = 512;
const BYTE = /(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)/.source;
const ADDRESS = new RegExp(`^(?:localhost|${BYTE}(?:\\.${BYTE}){3}|\\[[\\da-f:.]+\\])$`, 'i');
const FORM = /^(?:(.+):)?(\d{1,5})(?:-(\d{1,5}))?:(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/;

/**
 * @typedef {object} PublishedPort
 * @property {string} address where the host listens; IPv6 in brackets
 * @property {number} host its port, 0 for any free one
 * @property {number} container
 */

/**
 * @param {string} text `[ADDRESS:]HOST:CONTAINER[/tcp]`; HOST and CONTAINER may both be ranges of one length
 * @returns {PublishedPort[]}
 * @throws OptionError
 */
export function parsePort(text) {
  const parts = FORM.exec(text.trim());
  if (!parts)
    throw new OptionError(`"${text}" is no [ADDRESS:]HOST:CONTAINER, such as 8080:80 or [::1]:8080:80`);
  const [, address = DEFAULT_ADDRESS, host, lastHost, container, lastContainer, protocol = 'tcp'] = parts;
  if (protocol.toLowerCase() !== 'tcp')
    throw new OptionError(`"${text}": only TCP ports can be published, because connections go by streams`);
  if (!isAddress(address))
    throw new OptionError(
      `"${text}": "${address}" is no address of this machine, such as 127.0.0.1, 0.0.0.0 or [::1]`,
    );
  const [hosts, containers] = [rangeOf(host, lastHost), rangeOf(container, lastContainer)];
  if (hosts.last > MAX_PORT || containers.last > MAX_PORT || containers.first === 0)
    throw new OptionError(`"${text}": a port is 1 to ${MAX_PORT}, or 0 for any free one of this machine`);
  const count = containers.last - containers.first + 1;
  if (count < 1 || hosts.last - hosts.first + 1 !== count)
    throw new OptionError(`"${text}": ranges are of the same length, such as 8000-8005:8000-8005`);
  if (count > MAX_CONNECTIONS) throw tooMany();
  return Array.from({ length: count }, (_, index) => ({
    address,
    host: hosts.first + index,
    container: containers.first + index,
  }));
}

/**
 * @param {string} text entries with commas between them, or nothing
 * @returns {PublishedPort[]}
 * @throws OptionError
 */
export function parsePorts(text) {
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  const ports = entries.flatMap(parsePort);
  if (ports.length > MAX_CONNECTIONS) throw tooMany();
  return ports;
}

/**
 * The reverse of `parsePort`.
 * @param {PublishedPort} port
 * @returns {string}
 */
export function formatPort({ address, host, container }) {
  const prefix = address === DEFAULT_ADDRESS ? '' : `${address}:`;
  return `${prefix}${host}:${container}`;
}

/** @param {string | undefined} first @param {string | undefined} last */
function rangeOf(first, last = first) {
  return { first: Number(first), last: Number(last) };
}

/** @param {string} text */
function isAddress(text) {
  return ADDRESS.test(text) && (!text.startsWith('[') || URL.canParse(`http://${text}`));
}

function tooMany() {
  return new OptionError(`more than ${MAX_CONNECTIONS} ports are published: publish fewer`);
}
