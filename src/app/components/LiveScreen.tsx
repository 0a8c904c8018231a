import { useEffect, useRef } from 'react';
import type { TerminalPort } from '../machine/terminal-port.ts';
import { KeyRow } from './KeyRow.tsx';
import { ReadAloud } from './ReadAloud.tsx';
import { type PlaceEvents, useScreen } from './use-screen.ts';

const TYPE_BUTTON = 'live-type';
const EVENTS: PlaceEvents = {
  onTitle: () => {},
  onBell: () => {},
  onFindKey: () => {},
  onKeysKey: () => {},
  onLeaveKey: () => document.getElementById(TYPE_BUTTON)?.focus(),
};

/** The screen of the terminal on the first screen. It takes the focus only when the user gives it. */
export default function LiveScreen({ port, isOver }: { port: TerminalPort; isOver: boolean }) {
  const element = useRef<HTMLDivElement>(null);
  const screen = useScreen(element, port, EVENTS);
  useEffect(() => screen?.skipInTabOrder(), [screen]);
  useEffect(() => {
    if (isOver) screen?.freeze();
  }, [screen, isOver]);
  return (
    <>
      {screen && !isOver && (
        <button
          id={TYPE_BUTTON}
          type="button"
          className="button read-aloud live-type"
          aria-description="Control F6 leaves it"
          onClick={() => screen.focus()}
        >
          Type in the terminal
        </button>
      )}
      {screen && <ReadAloud screen={screen} />}
      <div className="terminal-screen" ref={element} />
      {screen && !isOver && <KeyRow screen={screen} />}
    </>
  );
}
