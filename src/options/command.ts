import { OptionError } from './option-error.mjs';

/** What an image says about the program that it runs. */
export interface ImageCommand {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

export interface CommandOptions {
  /** Replaces the image's entrypoint and drops its command. Empty for no entrypoint. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Replaces the image's command. */
  readonly args?: readonly string[] | undefined;
}

/**
 * Returns program and arguments, as `docker run --entrypoint … image args…` determines them.
 * @throws OptionError if nothing is left to run
 */
export function commandOf(config: ImageCommand, { entrypoint, args }: CommandOptions): string[] {
  const command = args ?? (entrypoint ? [] : config.cmd);
  const words = [...withoutEmpty(entrypoint ?? config.entrypoint), ...command];
  if (words.length === 0) throw new OptionError('the image names no program to run: give one');
  return words;
}

/** In Docker, `ENTRYPOINT [""]` takes the entrypoint of the base image away. */
function withoutEmpty(entrypoint: readonly string[]): readonly string[] {
  return entrypoint.length === 1 && entrypoint[0] === '' ? [] : entrypoint;
}
