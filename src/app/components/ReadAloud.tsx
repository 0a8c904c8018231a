import { useState } from 'react';
import type { Screen } from '../terminal/screen.ts';

/** For who listens to the page: it costs too much to do it for all. Seen when the keyboard leads to it. */
export function ReadAloud({ screen }: { screen: Screen }) {
  const [isRead, setRead] = useState(false);
  const toggle = () => {
    setRead(!isRead);
    screen.setReadable(!isRead);
  };
  return (
    <button type="button" className="button read-aloud" aria-pressed={isRead} onClick={toggle}>
      Tell screen readers what is in the terminal
    </button>
  );
}
