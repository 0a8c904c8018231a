/** Saved sessions, read from the store. */
import type { Plain } from '../machine/machine.ts';
import { StateReader } from '../machine/state.ts';
import type { SessionStore } from '../snapshot/session-store.ts';
import { versionsOf } from '../snapshot/versions.ts';
import { containerHost } from './host.ts';
import type { OpenedSession } from './opened-session.ts';

/** The sessions of the store. */
export async function openSessions(emulator: WebAssembly.Module): Promise<SessionStore> {
  const [{ store, createSavers }, { SessionStore }] = await Promise.all([
    containerHost().openKept(),
    import('../snapshot/session-store.ts'),
  ]);
  return new SessionStore(store, await createSavers(emulator));
}

/** Opens the saved session of a kept container. @throws StateError, VersionError, StorageError */
export async function openStored(
  container: string,
  session: string,
  emulator: WebAssembly.Module,
): Promise<OpenedSession> {
  const sessions = await openSessions(emulator);
  const { id, index, state, fillRam } = await sessions.open(container, session, versionsOf(emulator));
  return { ...partsOf(state), fillRam, stored: { id, index } };
}

/** The parts of a saved state. */
export function partsOf(state: Plain): { readonly state: Plain; readonly annotation: Plain } {
  const reader = new StateReader(state, 'session');
  return { state: reader.field('container').raw, annotation: reader.field('annotation').raw };
}
