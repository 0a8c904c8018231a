import { isEmulated } from '../options/platform.mjs';

/** A line for the user of an image whose programs are emulated; undefined for others. */
export function emulationNotice(platform: string): string | undefined {
  if (!isEmulated(platform)) return undefined;
  return `the image is for ${platform}: its programs are emulated, about ten times slower`;
}
