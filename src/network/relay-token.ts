import { parseTokenAnswer, TOKEN_PATH, type TokenRefusal } from './relay-protocol.ts';

/** Why there is no session at a relay. The message is for the user: sentences without the last full stop. */
export class RelayError extends Error {
  override name = 'RelayError';
  /** Whether another attempt may succeed. */
  readonly isPassing: boolean;

  constructor(message: string, isPassing: boolean) {
    super(message);
    this.isPassing = isPassing;
  }
}

const PASSING: readonly TokenRefusal[] = ['sessions', 'busy'];
const ADVICE = 'Name a relay in the options (wss://…), or run LinuxRun yourself with npm start';

/**
 * Asks a server of ours for the token of a session.
 * @param base the server's URL, ending in a slash
 * @throws RelayError
 */
export async function fetchToken(base: string, signal: AbortSignal): Promise<string> {
  const answer = await askFor(new URL(TOKEN_PATH.slice(1), base), signal);
  if (!('refused' in answer)) return answer.token;
  const isPassing = PASSING.includes(answer.refused);
  throw new RelayError(isPassing ? answer.message : `${answer.message}. ${ADVICE}`, isPassing);
}

async function askFor(url: URL, signal: AbortSignal): Promise<ReturnType<typeof parseTokenAnswer>> {
  try {
    const response = await fetch(url, { method: 'POST', signal });
    return parseTokenAnswer(await response.text());
  } catch {
    throw new RelayError(
      `${url.host}, the server of this page, does not answer: is it still running, and this computer online?`,
      true,
    );
  }
}
