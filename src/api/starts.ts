/** Saved starts: containers that begin where another one of the same image and options had got to. */

import { StateError } from '../machine/errors.ts';
import { holdImage } from '../oci/pull.ts';
import { VersionError } from '../snapshot/errors.ts';
import { versionsOf } from '../snapshot/versions.ts';
import { START_OWNER, type StartRecord } from '../storage/start-store.ts';
import { toHex } from '../text/hex.ts';
import { containerHost } from './host.ts';
import type { LaunchOptions } from './kept-options.ts';
import { type LoadedImage, wantedArchitecture } from './load-image.ts';
import type { OpenedSession } from './opened-session.ts';
import { openSessions, partsOf } from './sessions.ts';

/** What a container that begins from a saved start needs. */
export interface FoundStart {
  /** Its layers are held. */
  readonly image: LoadedImage;
  /** Resolves to undefined if the start cannot be used any more, and has been removed. */
  openSession(emulator: WebAssembly.Module): Promise<OpenedSession | undefined>;
}

/** What stands for an image and the options that decide what its start comes to. */
export async function startKey(digest: string, { ports: _, ...options }: LaunchOptions): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([digest, options]));
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** Finds the saved start of an image that is stored. */
export async function findStart(
  reference: string,
  launch: LaunchOptions,
  platform: string | undefined,
): Promise<FoundStart | undefined> {
  const { store } = await containerHost().openKept();
  const image = await store.images.get(reference, wantedArchitecture(platform));
  const record = image && (await store.starts.get(await startKey(image.digest, launch)));
  const held = record && (await holdImage(record, store));
  if (!record || !held) return undefined;
  return { image: held, openSession: (emulator) => open(record, emulator) };
}

async function open(record: StartRecord, emulator: WebAssembly.Module): Promise<OpenedSession | undefined> {
  const { store } = await containerHost().openKept();
  const release = await store.starts.hold(record.key);
  try {
    const sessions = await openSessions(emulator);
    const { state, fillRam, close } = await sessions.open(
      START_OWNER + record.key,
      record.session,
      versionsOf(emulator),
    );
    // Without room, it counts as older than it is.
    store.starts.put({ ...record, lastUsed: Date.now() }).catch(() => {});
    return {
      ...partsOf(state),
      fillRam: (ram) => fillRam(ram).finally(release),
      close() {
        close();
        void release();
      },
    };
  } catch (error) {
    await release();
    if (!(error instanceof VersionError || error instanceof StateError)) throw error;
    await store.starts.remove(record.key);
    return undefined;
  }
}
