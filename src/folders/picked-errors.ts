import { FolderError } from './shared-folder.ts';

/** Linux's names of the errors of handles (File System Standard, File System Access). */
const CODES: Readonly<Record<string, string>> = {
  NotFoundError: 'ENOENT',
  TypeMismatchError: 'EISDIR',
  NotAllowedError: 'EACCES',
  SecurityError: 'EACCES',
  NoModificationAllowedError: 'EBUSY',
  InvalidModificationError: 'ENOTEMPTY',
  QuotaExceededError: 'ENOSPC',
  // For names that the computer cannot have.
  TypeError: 'EINVAL',
};

/** @param mismatch the code when a folder is a file, or a file a folder */
export function explainHandleError(error: unknown, mismatch = 'EISDIR'): FolderError {
  if (error instanceof FolderError) return error;
  const { name, message } = error as Error;
  const code = name === 'TypeMismatchError' ? mismatch : CODES[name];
  return new FolderError(code ?? 'EIO', message);
}

/** @throws FolderError */
export async function explained<T>(action: () => Promise<T>, mismatch?: string): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explainHandleError(error, mismatch);
  }
}
