import { OptionError } from './errors.ts';

const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const MIN_DISK = 16 << 20;
const MAX_DISK = 2 ** 36;

/**
 * @param text bytes, or a number with K, M, G or T, in units of 2^10 and so on, such as `512M` or `1.5G`
 * @returns a whole number of bytes
 * @throws OptionError
 */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw new OptionError(`"${text}" is no size: write one such as 512M or 2G`);
  const bytes = Math.round(Number(digits) * (UNITS[unit.toUpperCase()] as number));
  if (!Number.isSafeInteger(bytes)) throw new OptionError(`${text} is too large`);
  return bytes;
}

/** @throws OptionError when a container can have no such disk */
export function checkDiskSize(bytes: number): void {
  if (bytes < MIN_DISK || bytes > MAX_DISK)
    throw new OptionError(`a disk has ${MIN_DISK / 2 ** 20}M to ${MAX_DISK / 2 ** 30}G, not ${bytes} bytes`);
}
