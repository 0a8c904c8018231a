/** Saves the session of the kept container before the page may end, and as a file. */
import { messageOf } from '../../text/message.ts';
import { SESSION_ENDING } from '../model/session-file.ts';
import { current } from './connection.ts';
import { hasUnsavedText } from './editor.ts';
import { isKept, useKeeping } from './keeping.ts';
import { useLibrary } from './library.ts';
import { save } from './save.ts';
import { useSession } from './session.ts';
import { shownView } from './view.ts';

/** The longest wait on the way out, in ms. Browsers end pages that take longer. */
const PATIENCE = 900;

/** Saves when the page is hidden, because phones end hidden pages. */
export function saveWhenHidden(): void {
  document.addEventListener('visibilitychange', () => {
    const { phase, run } = useSession.getState();
    const isStored = useKeeping.getState().keeping === 'kept';
    if (!document.hidden || phase !== 'running' || !run || !isStored) return;
    // Why it failed is told by an event.
    current.connection?.session.save(shownView(run.previewId)).catch(() => {});
  });
}

/** Saves the container before the browser leaves the page. @returns whether nothing would be lost */
export function saveOnTheWayOut(): boolean {
  const { phase, run } = useSession.getState();
  // Its end has been asked for.
  if (phase === 'stopping') return useKeeping.getState().keeping === 'kept' && !hasUnsavedText();
  const canSave = phase === 'running' || phase === 'suspending';
  if (!canSave || !isKept() || !run || !current.connection) return false;
  return current.connection.saveNow(shownView(run.previewId), PATIENCE);
}

/** Lets later containers of the image begin where this one is. */
export async function saveStart(): Promise<void> {
  const { connection } = current;
  if (!connection) return;
  const { startSaved, saved } = useKeeping.getState();
  // Each of them has previews of its own.
  await connection.session.saveStart(shownView('')).then(startSaved, (error) => saved(messageOf(error)));
  await useLibrary.getState().refresh();
}

/** Downloads the session as a file. */
export async function downloadSession(): Promise<void> {
  const { name } = useKeeping.getState();
  const { connection } = current;
  if (!connection) return;
  try {
    // Nobody else learns the origins of its previews.
    save(await connection.session.exportSession(shownView('')), `${name ?? 'session'}${SESSION_ENDING}`);
  } catch (error) {
    useKeeping.getState().saved(messageOf(error));
  }
}
