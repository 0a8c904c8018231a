import { useEffect, useSyncExternalStore } from 'react';
import { useFiles } from '../stores/files.ts';
import { usePreviews } from '../stores/previews.ts';

/** A screen with room for the files or the previews, but not for both. */
const narrow = matchMedia('(max-width: 60rem), (max-height: 30rem)');

function watch(onChange: () => void): () => void {
  narrow.addEventListener('change', onChange);
  return () => narrow.removeEventListener('change', onChange);
}

/** Closes the files when the previews open, and the other way round, on a screen without room for both. */
export function useOnePanel(areFilesShown: boolean, isPreviewShown: boolean): void {
  const isNarrow = useSyncExternalStore(watch, () => narrow.matches);
  useEffect(() => {
    if (isNarrow && isPreviewShown) useFiles.getState().hide();
  }, [isNarrow, isPreviewShown]);
  useEffect(() => {
    // The previews stay when a screen with both becomes narrow.
    if (isNarrow && areFilesShown && useFiles.getState().isShown) usePreviews.getState().hide();
  }, [isNarrow, areFilesShown]);
}
