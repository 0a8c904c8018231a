/** The notation of LINUXRUN_REGISTRY_MIRROR. */
import { OptionError } from './option-error.mjs';

/** Docker's rule for registries on this machine: they need no TLS. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/**
 * Reads the address of a mirror of Docker Hub.
 * @param {string} text `https://HOST[:PORT]` or `http://HOST[:PORT]`; without a scheme https, except for
 *   this machine
 * @returns {string} its origin
 * @throws OptionError
 */
export function parseMirror(text) {
  const trimmed = text.trim();
  const scheme = LOOPBACK.test(trimmed) ? 'http' : 'https';
  const given = trimmed.includes('://') ? trimmed : `${scheme}://${trimmed}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.host === '')
    throw new OptionError(`"${text}" is not the address of a mirror: write https://HOST or http://HOST:PORT`);
  if (url.username !== '' || url.password !== '')
    throw new OptionError('a mirror is asked without an account: leave user and password out');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new OptionError(`"${text}" names more than a host: write ${url.origin}`);
  return url.origin;
}
