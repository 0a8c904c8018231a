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
 * Removes the values of variables from the address. They may be secrets, and addresses stay in histories,
 * logs and screenshots: only the tab's own storage keeps values.
 */
export function cleanAddress(form: Form, query: string): void {
  history.replaceState(history.state, '', writeLink(form, { withValues: false }));
  keepQuery(query);
}

/** Keeps the query from which a reload of the current address reads the form. */
export function keepQuery(query: string): void {
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
