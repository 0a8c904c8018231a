import type { Form } from '../model/form.ts';
import { writeLink } from '../model/link.ts';

const KEY = 'linuxrun-address';

/** The query that an address without values stands for in this tab. */
interface Kept {
  readonly address: string;
  readonly query: string;
}

/** Returns the query that fills in the form: the address, with the values that this tab keeps for it. */
export function readAddress(): string {
  const kept = readKept();
  return kept?.address === location.search ? kept.query : location.search;
}

/**
 * Puts the form in the address, so that a reload restores it. The values of variables may be secrets, and
 * addresses stay in histories, logs and screenshots: only the tab's own storage keeps values.
 * @param query the query that a reload reads the form from
 */
export function writeAddress(form: Form, query = writeLink(form, { withValues: true })): void {
  history.replaceState(null, '', writeLink(form, { withValues: false }));
  const kept: Kept = { address: location.search, query };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Without storage a reload has only the names.
  }
}

function readKept(): Kept | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '') as Kept;
  } catch {
    return undefined;
  }
}
