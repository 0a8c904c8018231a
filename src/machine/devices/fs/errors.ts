import { FolderError } from '../../../folders/shared-folder.ts';
import { ERRNO } from './fuse.ts';

export function fail(code: string): never {
  throw new FolderError(code);
}

/** Linux's number of the error of a reply. */
export function errorNumber(error: unknown): number {
  return ERRNO[codeOf(error)] ?? (ERRNO.EIO as number);
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'EIO';
}
