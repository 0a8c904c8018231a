import type { ImageConfig } from '../oci/image.ts';
import { OptionError } from './errors.ts';

export interface CommandOptions {
  /** Replaces the image's entrypoint; its command is then left out. Empty: no entrypoint. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the image's command. */
  readonly args?: readonly string[] | undefined;
}

/**
 * Program and arguments, as `docker run --entrypoint … image args…` makes them.
 * @throws OptionError when nothing is left to run
 */
export function commandOf(config: ImageConfig, { entrypoint, args }: CommandOptions): string[] {
  const command = args ?? (entrypoint ? [] : config.cmd);
  const words = [...(entrypoint ?? config.entrypoint), ...command];
  if (words.length === 0) throw new OptionError('the image names no program to run: give one');
  return words;
}
