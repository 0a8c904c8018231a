const QUOTED_LENGTH = 200;

/** Makes text from outside fit for a message: one line of bounded length, without control characters. */
export function clean(text: string): string {
  return oneLine(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text);
}

/** Makes a message one line without control characters. */
export function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return clean(String(error));
  // fetch() only says "fetch failed"; its cause says what failed.
  const { cause, message } = error;
  return clean(cause instanceof Error && error instanceof TypeError ? cause.message || message : message);
}
