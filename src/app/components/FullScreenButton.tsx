import { useEffect, useState } from 'react';
import { canFillScreen, fillsScreen, toggleFullScreen } from '../full-screen.ts';
import { IconButton } from './Button.tsx';

/** Fills the screen, where keys such as Ctrl-W reach the program. */
export function FullScreenButton() {
  const [isFull, setFull] = useState(fillsScreen);
  useEffect(() => {
    const update = () => setFull(fillsScreen());
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);
  if (!canFillScreen()) return null;
  return (
    <IconButton
      icon={isFull ? 'shrink' : 'expand'}
      label={isFull ? 'Leave full screen' : 'Full screen'}
      title={isFull ? 'Leave full screen' : 'Full screen: Ctrl+W, Ctrl+T and Escape reach the program'}
      // The terminal keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      // A browser that refuses it says so itself.
      onClick={() => void toggleFullScreen().catch(() => {})}
    />
  );
}
