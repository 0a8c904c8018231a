import { useEffect } from 'react';
import { loadMachinery } from '../stores/connection.ts';
import { useImage } from './use-image.ts';

/** The pause in typing after which a reference counts as complete, in ms. */
const PAUSE = 200;

/** Has the next session look up the form's image if it is stored, so that a click on Run finds it ready. */
export function useExpectation(): void {
  const { canonical, picked, platform, stored } = useImage();
  const expected = stored && !picked ? canonical : undefined;
  useEffect(() => {
    if (expected === undefined) return;
    // If its code cannot be loaded, no session exists that could be told.
    const expect = () =>
      loadMachinery().then(
        ({ expectImage }) => expectImage({ reference: expected, platform }),
        () => {},
      );
    const timer = setTimeout(() => void expect(), PAUSE);
    return () => clearTimeout(timer);
  }, [expected, platform]);
}
