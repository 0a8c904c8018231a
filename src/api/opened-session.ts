import type { SavedSession } from '../container/image-machine.ts';
import type { Plain } from '../machine/machine.ts';
import type { StoredSession } from '../snapshot/session-store.ts';

/** A saved container that is about to go on. */
export interface OpenedSession extends SavedSession {
  readonly annotation: Plain;
  /** Where it is stored. */
  readonly stored?: StoredSession | undefined;
}
