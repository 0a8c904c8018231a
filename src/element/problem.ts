import { ImageError, MachineError, OptionError, StorageError } from '../api/errors.ts';

/** What went wrong, in plain words. */
export interface Problem {
  readonly title: string;
  readonly text: string;
}

/** Returns why a page with this global scope cannot run machines, if it cannot. */
export function obstacle({ crossOriginIsolated, isSecureContext }: typeof globalThis): Error | undefined {
  if (crossOriginIsolated) return undefined;
  if (!isSecureContext)
    return new MachineError('This page needs https or localhost: browsers share memory only there');
  return new MachineError(
    'This page is not cross-origin isolated. Its server must send the headers ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp ' +
      '(the plugin linuxrun/vite does so in development)',
  );
}

export function problemOf(error: unknown): Problem {
  return { title: titleOf(error), text: error instanceof Error ? error.message : String(error) };
}

function titleOf(error: unknown): string {
  if (error instanceof OptionError) return 'These options do not work';
  if (error instanceof ImageError) return 'The image cannot be loaded';
  if (error instanceof StorageError) return 'The browser cannot store the image';
  if (error instanceof MachineError) return 'The machine cannot run here';
  return 'The container cannot run';
}
