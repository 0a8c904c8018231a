import type { SavedSession } from '../container/image-machine.ts';
import type { Plain } from '../machine/machine.ts';
import type { SaverPool } from '../snapshot/saver-pool.ts';
import type { StoredSession } from '../snapshot/session-store.ts';

/** Where a session is stored, and what saves it again. */
export interface SessionOrigin {
  readonly stored: StoredSession;
  /** The workers that have loaded it. Whoever goes on with it closes them. */
  readonly savers: SaverPool;
}

/** A saved container that is about to go on. */
export interface OpenedSession extends SavedSession {
  readonly annotation: Plain;
  readonly origin?: SessionOrigin | undefined;
  /** Ends what loads it, when it does not go on. */
  close?(): void;
}
