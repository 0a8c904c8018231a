import { useEffect } from 'react';
import { useKeeping } from '../stores/keeping.ts';
import { Button, IconButton } from './Button.tsx';

/** The time for which it is visible, in ms. The button of the bar says the same. */
const SHOWN = 12_000;

/** Says once, and quietly, that the container is kept, and offers not to keep it. */
export function KeepNotice() {
  const { keeping, name, isNoticed, refuse, dismiss } = useKeeping();
  const isShown = keeping === 'kept' && name !== undefined && !isNoticed;
  useEffect(() => {
    if (!isShown) return;
    const timer = setTimeout(dismiss, SHOWN);
    return () => clearTimeout(timer);
  }, [isShown, dismiss]);
  return (
    <div role="status">
      {isShown && (
        // A click leaves the focus in the terminal.
        <p className="keep-notice" onMouseDown={(event) => event.preventDefault()}>
          <span>
            Kept in this browser as <strong>{name}</strong>
          </span>
          <Button icon="trash" onClick={() => void refuse()}>
            Don’t keep it
          </Button>
          <IconButton icon="close" label="Dismiss" onClick={dismiss} />
        </p>
      )}
    </div>
  );
}
