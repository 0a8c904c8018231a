import { useCallback, useSyncExternalStore } from 'react';

/** A screen with room for one pane only. `styles/` has the same condition. */
export const SMALL = '(max-width: 47.5rem), (max-height: 30rem)';
/** A screen with room for the files or the previews, but not for both. */
export const NARROW = '(max-width: 60rem), (max-height: 30rem)';
/** A screen with room for editor and terminals side by side. */
export const WIDE = '(min-width: 75rem)';

/** A screen without room for two terminals side by side. */
export const PHONE = '(max-width: 37.5rem)';

/** Whether a media query matches. */
export function useMedia(query: string): boolean {
  const watch = useCallback(
    (onChange: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', onChange);
      return () => list.removeEventListener('change', onChange);
    },
    [query],
  );
  return useSyncExternalStore(watch, () => matchMedia(query).matches);
}
