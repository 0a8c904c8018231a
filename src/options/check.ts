/** Checks of values that come from programs without types. */
import { OptionError } from './option-error.mjs';

/** @throws OptionError */
export function checkText(value: unknown): asserts value is string {
  if (typeof value !== 'string')
    throw new OptionError(`arguments, environment and paths are strings, not ${typeof value}`);
}

/** @throws OptionError */
export function checkBytes(value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array))
    throw new OptionError(`only a Uint8Array can be written, no ${typeof value}: encode text by TextEncoder`);
}

/** RFC 1123, and the kernel's limit. @throws OptionError */
export function checkHostname(name: string): void {
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,62})$/i.test(name))
    throw new OptionError('a host name has 1 to 63 letters, digits, hyphens and dots');
}
