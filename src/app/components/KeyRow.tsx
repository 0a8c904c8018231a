import { useState } from 'react';
import type { Screen } from '../terminal/screen.ts';

const KEYS = [
  ['Esc', '\x1b'],
  ['Tab', '\t'],
  ['←', '\x1b[D'],
  ['↑', '\x1b[A'],
  ['↓', '\x1b[B'],
  ['→', '\x1b[C'],
] as const;

/** Keys that phone keyboards lack. */
export function KeyRow({ screen }: { screen: Screen }) {
  const [isControl, setControl] = useState(false);
  const holdControl = () => {
    setControl(!isControl);
    screen.holdControl(!isControl, () => setControl(false));
  };
  return (
    // The phone's keyboard stays as long as the terminal has the focus.
    <div
      className="key-row"
      role="toolbar"
      aria-label="Keys"
      onPointerDown={(event) => event.preventDefault()}
    >
      <button type="button" aria-pressed={isControl} onClick={holdControl}>
        Ctrl
      </button>
      {KEYS.map(([name, sequence]) => (
        <button key={name} type="button" onClick={() => screen.input(sequence)}>
          {name}
        </button>
      ))}
    </div>
  );
}
