import { useState } from 'react';
import type { Screen } from '../../terminal/screen.ts';

/**
 * Makes xterm tell screen readers the screen's text, which costs too much for everyone. Visible when it has
 * the focus.
 */
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
