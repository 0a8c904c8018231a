import { useEffect } from 'react';
import { formatReference } from '../../oci/reference.ts';
import { shortName } from '../model/names.ts';
import { useSession } from '../stores/session.ts';
import { useTerminals } from '../stores/terminals.ts';

const PAGE = 'LinuxRun';

/** Names the tab of the browser by what runs, or by what the program in the terminal wants. */
export function useTitle(): void {
  const wanted = useTerminals(({ tabs, active }) => tabs.find(({ id }) => id === active)?.title);
  const image = useSession(({ run }) => (run ? shortName(formatReference(run.wish.reference)) : ''));
  useEffect(() => {
    document.title = `${wanted || image} – ${PAGE}`;
    return () => {
      document.title = PAGE;
    };
  }, [wanted, image]);
}
