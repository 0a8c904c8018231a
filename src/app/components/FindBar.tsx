import { useState } from 'react';
import type { Screen } from '../terminal/screen.ts';
import { IconButton } from './Button.tsx';

/** Finds text in a terminal. */
export function FindBar({ screen, onClose }: { screen: Screen; onClose: () => void }) {
  const [text, setText] = useState('');
  const [isFound, setFound] = useState(true);
  const look = (wanted: string, direction: 'next' | 'previous') => {
    setText(wanted);
    setFound(screen.find(wanted, direction) || wanted === '');
  };
  const close = () => {
    screen.endSearch();
    onClose();
  };
  return (
    <search className="find-bar">
      <input
        aria-label="Find in the terminal"
        aria-invalid={!isFound}
        // biome-ignore lint/a11y/noAutofocus: it appears because of a key, to be typed in
        autoFocus
        value={text}
        placeholder="Find"
        onChange={({ target }) => look(target.value, 'next')}
        onKeyDown={({ key, shiftKey }) => {
          if (key === 'Enter') look(text, shiftKey ? 'previous' : 'next');
          if (key === 'Escape') close();
        }}
      />
      <span className="visually-hidden" role="status">
        {isFound ? '' : 'Not found'}
      </span>
      <IconButton icon="up" label="Previous" onClick={() => look(text, 'previous')} />
      <IconButton icon="down" label="Next" onClick={() => look(text, 'next')} />
      <IconButton icon="close" label="End the search" onClick={close} />
    </search>
  );
}
