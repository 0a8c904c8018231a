import { OptionError } from './option-error.mjs';

/**
 * The path of a container at which something is mounted, without what it does not need. The root and the
 * kernel's folders stay as they are.
 * @param {string} path
 * @param {string} what is mounted, for the error
 * @returns {string}
 * @throws OptionError
 */
export function normaliseMountPath(path, what) {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  const clean = `/${names.join('/')}`;
  if (!path.startsWith('/') || names.length === 0 || names.includes('..') || path.includes('\0'))
    throw new OptionError(`"${path}" is no place for ${what}: the path must be absolute, and not the root`);
  if (/^\/(?:proc|sys|dev|run\/linuxrun)(?:\/|$)/.test(clean) && clean !== '/dev/shm')
    throw new OptionError(
      `${what} cannot be mounted at ${clean}, which the container needs: choose another path`,
    );
  return clean;
}
