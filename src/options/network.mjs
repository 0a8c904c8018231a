/** The variables about a container's network. */
import { OptionError } from './option-error.mjs';

/** This machine, where a relay needs no encryption. The page's policy knows no IPv6 addresses. */
const LOOPBACK = ['localhost', '127.0.0.1'];

/** @param {string} text @returns {'none'} @throws OptionError */
export function parseNetwork(text) {
  if (text !== 'none')
    throw new OptionError(`"${text}" is not none, the only value; unset it to have a network`);
  return text;
}

/**
 * @param {string} text
 * @returns {string} `on`, `off`, or the URL of a relay
 * @throws OptionError
 */
export function parseRelay(text) {
  if (text === 'on' || text === 'off') return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'wss:' && url?.protocol !== 'ws:')
    throw new OptionError(
      `"${text}" is neither on, off, nor the address of a relay, such as wss://relay.example.com`,
    );
  if (url.protocol === 'ws:' && !LOOPBACK.includes(url.hostname))
    throw new OptionError(`"${text}" would show all traffic to everybody on the way: write wss://`);
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new OptionError(`"${text}" must have neither a user name, nor a password, nor a #`);
  return url.href;
}
