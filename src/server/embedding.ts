/** The pages of other origins that may show ours in a frame. */
import { clean } from '../text/message.ts';

const VARIABLE = 'LINUXRUN_EMBED_ORIGINS';
/** Only this form of the page may be framed. */
const EMBEDDED = { name: 'embed', value: '1' };

/**
 * Reads the variable LINUXRUN_EMBED_ORIGINS, a list of origins separated by commas.
 * @throws Error for an entry that is no origin
 */
export function readEmbedOrigins(variables: Readonly<Record<string, string | undefined>>): string[] {
  const entries = (variables[VARIABLE] ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const wrong = entries.find((entry) => !isOrigin(entry));
  if (wrong !== undefined)
    throw new Error(`${VARIABLE}: "${clean(wrong)}" is no origin: write such as https://docs.example.com`);
  return entries;
}

function isOrigin(text: string): boolean {
  // Host names may contain characters that mean something else in a policy.
  return /^https?:\/\/[\w.:[\]-]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** The origins that may frame the answer for a URL. */
export function framersOf({ pathname, searchParams }: URL, origins: readonly string[]): readonly string[] {
  const isPage = pathname === '/' || pathname === '/index.html';
  return isPage && searchParams.get(EMBEDDED.name) === EMBEDDED.value ? origins : [];
}
