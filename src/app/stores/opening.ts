import { create } from 'zustand';
import { messageOf } from '../../text/message.ts';
import type { SessionFile, SessionPlace } from '../machine/messages.ts';
import { makeUpName } from '../model/container-name.ts';
import { sentence } from '../model/problem.ts';
import { isSavedSession, linkOfSession, sessionUrl } from '../model/session-file.ts';
import { loadMachinery } from './connection.ts';
import { useKept } from './kept.ts';
import { runSession } from './start.ts';

interface OpeningState {
  /** The file's name, or its address in a link. */
  readonly source: string | undefined;
  /** The file that waits for a click, and what it holds. */
  readonly offer: { readonly file: SessionPlace; readonly about: SessionFile } | undefined;
  /** Why it cannot be opened. */
  readonly problem: string | undefined;

  /** Reads what a file says that it holds. @returns whether it is a saved session */
  take(file: File): Promise<boolean>;
  /** Reads the beginning of the saved session that a link names. @param address on the page's origin */
  follow(address: string): Promise<void>;
  /** Goes on with the session, in a container of its own. */
  open(): void;
  dismiss(): void;
}

const NOTHING = { source: undefined, offer: undefined, problem: undefined };

/** A saved session from outside, which waits for a click. */
export const useOpening = create<OpeningState>((set, get) => {
  const describe = async (source: string, find: () => SessionPlace) => {
    set({ ...NOTHING, source });
    try {
      const file = find();
      const { withContainers } = await loadMachinery();
      const about = await withContainers((containers) => containers.describe(file));
      if (get().source === source) set({ offer: { file, about } });
    } catch (error) {
      if (get().source === source) set({ problem: sentence(messageOf(error)) });
    }
  };
  return {
    ...NOTHING,
    take: async (file) => {
      if (!(await isSavedSession(file))) return false;
      await describe(file.name, () => file);
      return true;
    },
    follow: (address) => describe(address, () => sessionUrl(address, document.baseURI)),
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
