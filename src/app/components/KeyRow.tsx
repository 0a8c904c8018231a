import { useState } from 'react';
import type { BarKey } from '../../terminal/bar-keys.ts';
import { readClipboard } from '../../terminal/clipboard.ts';
import type { Screen } from '../../terminal/screen.ts';

/** The keys by what is on them. */
const KEYS: readonly (readonly [text: string, key: BarKey])[] = [
  ['Esc', 'Escape'],
  ['Tab', 'Tab'],
  ['←', 'Left'],
  ['↑', 'Up'],
  ['↓', 'Down'],
  ['→', 'Right'],
  ['|', '|'],
  ['/', '/'],
  ['-', '-'],
  ['~', '~'],
  ['Home', 'Home'],
  ['End', 'End'],
  ['PgUp', 'Page Up'],
  ['PgDn', 'Page Down'],
];

/** Keys that phone keyboards lack. */
export function KeyRow({ screen }: { screen: Screen }) {
  const [isControl, setControl] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const holdControl = () => {
    setControl(!isControl);
    screen.holdControl(!isControl, () => setControl(false));
  };
  const paste = async () => {
    const text = await readClipboard();
    setRefused(text === undefined);
    if (text) screen.paste(text);
  };
  return (
    <>
      <p className="key-note" role="status">
        {isRefused && 'The browser does not let this page read the clipboard: touch the terminal and hold.'}
      </p>
      {/* The phone's keyboard stays as long as the terminal has the focus. */}
      <div
        className="key-row"
        role="toolbar"
        aria-label="Keys"
        onPointerDown={(event) => event.preventDefault()}
      >
        <button type="button" onClick={() => void paste()}>
          Paste
        </button>
        <button type="button" aria-pressed={isControl} onClick={holdControl}>
          Ctrl
        </button>
        {KEYS.map(([text, key]) => (
          <button key={key} type="button" aria-label={key} onClick={() => screen.press(key)}>
            {text}
          </button>
        ))}
      </div>
    </>
  );
}
