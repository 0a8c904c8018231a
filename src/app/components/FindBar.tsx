import { useEffect, useState } from 'react';
import { describeMatches, type Matches } from '../../terminal/matches.ts';
import type { Screen } from '../../terminal/screen.ts';
import { IconButton } from './Button.tsx';

/** Finds text in a terminal. */
export function FindBar({ screen, onClose }: { screen: Screen; onClose: () => void }) {
  const [text, setText] = useState('');
  const [matches, setMatches] = useState<Matches>();
  useEffect(() => screen.watchMatches(setMatches), [screen]);
  const found = text === '' ? undefined : matches;
  const close = () => {
    screen.endSearch();
    onClose();
  };
  return (
    <search className="find-bar">
      <input
        aria-label="Find in the terminal"
        aria-invalid={found?.count === 0}
        // biome-ignore lint/a11y/noAutofocus: it appears because of a key, to be typed in
        autoFocus
        value={text}
        placeholder="Find"
        onChange={({ target }) => {
          setText(target.value);
          screen.find(target.value, 'here');
        }}
        onKeyDown={({ key, shiftKey }) => {
          if (key === 'Enter') screen.find(text, shiftKey ? 'previous' : 'next');
          if (key === 'Escape') close();
        }}
      />
      <span className="find-count" role="status">
        {found && describeMatches(found)}
      </span>
      <IconButton icon="up" label="Previous" onClick={() => screen.find(text, 'previous')} />
      <IconButton icon="down" label="Next" onClick={() => screen.find(text, 'next')} />
      <IconButton icon="close" label="End the search" onClick={close} />
    </search>
  );
}
