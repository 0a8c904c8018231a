import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The folder where images are kept, in the user's cache (XDG base directory specification). */
export function imageStore(env: NodeJS.ProcessEnv): string {
  const given = env.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'linuxrun', 'images');
}
