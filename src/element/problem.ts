import { ImageError, MachineError, OptionError, StorageError } from '../api/errors.ts';

/** What went wrong, in plain words. */
export interface Problem {
  readonly title: string;
  readonly text: string;
}

const HEADERS = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

const BLOCKED =
  'Browsers that block third-party cookies also keep frames of other sites from storing anything. ' +
  'Allow that for this site, or open the frame in a tab of its own.';

/** Returns why a page with this global scope cannot run machines, if it cannot. */
export function obstacle(scope: typeof globalThis): Error | undefined {
  const { crossOriginIsolated, isSecureContext, top, self } = scope;
  if (crossOriginIsolated) return undefined;
  if (!isSecureContext)
    return new MachineError('This page needs https or localhost: browsers share memory only there');
  if (top !== self)
    return new MachineError(
      'This frame is not cross-origin isolated. The page around it and the server of the frame must send the ' +
        `headers ${HEADERS}, and the <iframe> needs the attribute allow="cross-origin-isolated"`,
    );
  return new MachineError(
    'This page is not cross-origin isolated. Its server must send the headers ' +
      `${HEADERS} (the plugin linuxrun/vite does so in development)`,
  );
}

/** @param scope of the page */
export function problemOf(error: unknown, { top, self }: typeof globalThis): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const isBlocked = error instanceof StorageError && top !== self;
  return { title: titleOf(error), text: isBlocked ? `${text} ${BLOCKED}` : text };
}

function titleOf(error: unknown): string {
  if (error instanceof OptionError) return 'These options do not work';
  if (error instanceof ImageError) return 'The image cannot be loaded';
  if (error instanceof StorageError) return 'The browser cannot store the image';
  if (error instanceof MachineError) return 'The machine cannot run here';
  return 'The container cannot run';
}
