import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { SessionFile } from '../machine/messages.ts';
import { makeUpName } from '../model/container-name.ts';
import { isSavedSession, linkOfSession } from '../model/session-file.ts';
import { loadMachinery } from './connection.ts';
import { useKept } from './kept.ts';
import { runSession } from './start.ts';

interface OpeningState {
  /** The file's name, or its address in a link. */
  readonly source: string | undefined;
  /** The file that waits for a click, and what it holds. */
  readonly offer: { readonly file: Blob; readonly about: SessionFile } | undefined;
  /** Why it cannot be opened. */
  readonly problem: string | undefined;

  /** Reads what a file holds. @returns whether it is a saved session */
  take(file: File): Promise<boolean>;
  /** Fetches the saved session that a link names. @param address below the page's origin */
  follow(address: string): Promise<void>;
  /** Goes on with the session, in a container of its own. */
  open(): void;
  dismiss(): void;
}

const NOTHING = { source: undefined, offer: undefined, problem: undefined };

/** A saved session from outside, which waits for a click. */
export const useOpening = create<OpeningState>((set, get) => {
  const describe = async (source: string, read: () => Promise<Blob>) => {
    set({ ...NOTHING, source });
    try {
      const file = await read();
      const { withContainers } = await loadMachinery();
      const about = await withContainers((containers) => containers.describe(file));
      if (get().source === source) set({ offer: { file, about } });
    } catch (error) {
      if (get().source === source) set({ problem: messageOf(error) });
    }
  };
  return {
    ...NOTHING,
    take: async (file) => {
      if (!(await isSavedSession(file))) return false;
      await describe(file.name, async () => file);
      return true;
    },
    follow: (address) => describe(address, () => fetchSession(address)),
    open: () => {
      const { offer } = get();
      if (!offer) return;
      set(NOTHING);
      const name = makeUpName(useKept.getState().items.map((item) => item.name));
      runSession(linkOfSession(offer.about), { name, resumes: true, file: offer.file });
    },
    dismiss: () => set(NOTHING),
  };
});

/** A link must not make the page fetch anything from elsewhere. */
async function fetchSession(address: string): Promise<Blob> {
  const url = URL.parse(address, document.baseURI);
  if (!url) throw new Error(`"${address}" is no address`);
  if (url.origin !== location.origin)
    throw new Error(`The link names a file on ${url.host}: sessions open only from ${location.host}`);
  const answer = await fetch(url, { redirect: 'error', credentials: 'omit' });
  if (!answer.ok) throw new Error(`The server has no such file: ${answer.status}`);
  const file = await answer.blob();
  if (!(await isSavedSession(file))) throw new Error('The file is no saved session');
  return file;
}
