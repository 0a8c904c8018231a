import { useEffect } from 'react';
import { formatReference } from '../../api/references.ts';
import { shortName } from '../model/names.ts';
import { useSession } from '../stores/session.ts';
import { useTerminals } from '../stores/terminals.ts';

const PAGE = 'LinuxRun';

/** Sets the title of the browser's tab to the running image, or to the title that its program sets. */
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
