import { checkText } from '../options/check.ts';

/** Completes a path that is meant from the root. @throws OptionError if it is no string */
export function absolute(path: string): string {
  checkText(path);
  return path.startsWith('/') ? path : `/${path}`;
}
