import { useLibrary } from '../stores/library.ts';
import { Notice } from './Notice.tsx';

/** Says that the browser keeps nothing of the page, and how to change that. */
export function NothingKeptNotice() {
  const isKept = useLibrary(({ storage }) => storage?.isKept ?? true);
  if (isKept) return null;
  return (
    <Notice tone="hint" title="This browser keeps nothing of this page">
      Images run, but each start fetches them anew, and containers are lost when they end. Allow this page to
      store data (“cookies”), or open it outside of a private window, to keep both.
    </Notice>
  );
}
