import { checkText } from '../options/check.ts';

/** Makes a path absolute: a relative one begins at the root. @throws OptionError if it is not a string */
export function absolute(path: string): string {
  checkText(path);
  return path.startsWith('/') ? path : `/${path}`;
}
