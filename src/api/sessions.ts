/** Saved sessions, read from the store. */
import type { Plain } from '../machine/machine.ts';
import { StateReader } from '../machine/state.ts';
import type { SaverPool } from '../snapshot/saver-pool.ts';
import type { SaverPlatform } from '../snapshot/savers.ts';
import type { SessionStore } from '../snapshot/session-store.ts';
import { versionsOf } from '../snapshot/versions.ts';
import { containerHost } from './host.ts';
import type { OpenedSession } from './opened-session.ts';

/**
 * The sessions of the store.
 * @param savers what saves and loads them; unless given, each time new workers
 */
export async function openSessions(
  emulator: WebAssembly.Module,
  savers?: SaverPlatform,
): Promise<SessionStore> {
  const [{ store, createSavers }, { SessionStore }] = await Promise.all([
    containerHost().openKept(),
    import('../snapshot/session-store.ts'),
  ]);
  return new SessionStore(store, savers ?? (await createSavers(emulator)));
}

/** Starts workers that save and load. */
export async function startSavers(emulator: WebAssembly.Module): Promise<SaverPool> {
  const [{ createSavers }, { SaverPool }] = await Promise.all([
    containerHost().openKept(),
    import('../snapshot/saver-pool.ts'),
  ]);
  return new SaverPool(await createSavers(emulator));
}

/**
 * Opens the saved session of a kept container.
 * @param savers which it takes over
 * @throws StateError, VersionError, StorageError; then the savers are closed
 */
export async function openStored(
  container: string,
  session: string,
  emulator: WebAssembly.Module,
  savers: SaverPool,
): Promise<OpenedSession> {
  try {
    const sessions = await openSessions(emulator, savers);
    const opened = await sessions.open(container, session, versionsOf(emulator));
    const { id, index, state, fillRam } = opened;
    const close = () => {
      savers.close();
      opened.close();
    };
    return { ...partsOf(state), fillRam, origin: { stored: { id, index }, savers }, close };
  } catch (error) {
    savers.close();
    throw error;
  }
}

/** The parts of a saved state. */
export function partsOf(state: Plain): { readonly state: Plain; readonly annotation: Plain } {
  const reader = new StateReader(state, 'session');
  return { state: reader.field('container').raw, annotation: reader.field('annotation').raw };
}
