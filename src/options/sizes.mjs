import { formatSize } from './limits.mjs';
import { OptionError } from './option-error.mjs';

/** @type {Record<string, number>} */
const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const PAGE = 4096;
const MIN_DISK = 16 << 20;
const MAX_DISK = 2 ** 36;

/**
 * Reads a size of memory, disks or caches, in the notation that users write everywhere.
 * @param {string} text bytes, or a number with K, M, G or T, in units of 2^10 and so on, such as `512M`
 * @returns {number} a whole number of bytes; for a fraction, a whole number of pages of 4096 bytes
 * @throws OptionError
 */
export function parseSize(text) {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw new OptionError(`"${text}" is no size: write one such as 512M or 2G`);
  const step = digits.includes('.') ? PAGE : 1;
  const bytes = Math.round((Number(digits) * (UNITS[unit.toUpperCase()] ?? 1)) / step) * step;
  if (!Number.isSafeInteger(bytes)) throw new OptionError(`${text} is too large`);
  return bytes;
}

/**
 * @param {number} bytes
 * @param {string} [given] as the user wrote it
 * @throws OptionError if a container cannot have such a disk
 */
export function checkDiskSize(bytes, given = formatSize(bytes)) {
  if (bytes >= MIN_DISK && bytes <= MAX_DISK && bytes % PAGE === 0) return;
  const range = `${formatSize(MIN_DISK)} to ${formatSize(MAX_DISK)}`;
  throw new OptionError(`a disk has ${range}, in steps of ${PAGE} bytes, not ${given}`);
}
