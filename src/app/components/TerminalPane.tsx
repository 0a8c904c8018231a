import { useEffect, useMemo, useRef } from 'react';
import { useKeeping } from '../stores/keeping.ts';
import { useSession } from '../stores/session.ts';
import { type TerminalTab, useTerminals } from '../stores/terminals.ts';
import { FindBar } from './FindBar.tsx';
import { KeyRow } from './KeyRow.tsx';
import { ReadAloud } from './ReadAloud.tsx';
import { takeScreen } from './spare-screen.ts';
import { type PlaceEvents, useScreen } from './use-screen.ts';

export interface TerminalPaneProps {
  readonly tab: TerminalTab;
  readonly isActive: boolean;
}

/** A terminal and its process. */
export default function TerminalPane({ tab, isActive }: TerminalPaneProps) {
  const element = useRef<HTMLDivElement>(null);
  const { isFinding, find } = useTerminals();
  const events = useMemo(() => eventsOf(tab.id), [tab.id]);
  const screen = useScreen(element, tab.port, events, takeScreen);
  const isSessionOver = useSession(({ phase }) => phase === 'ended' || phase === 'failed');
  const isOver = isSessionOver || tab.hasFailed;

  // What is typed before the program writes anything waits for it.
  const isSeen = useSession(({ phase, hasOutput }) => hasOutput || phase === 'running') && isActive;
  useEffect(() => {
    if (isSeen) screen?.focus();
  }, [screen, isSeen]);
  useEffect(() => {
    if (isOver) screen?.freeze();
  }, [screen, isOver]);

  return (
    <>
      {/* It comes first, because the terminal keeps Tab for its program. */}
      {screen && <ReadAloud screen={screen} />}
      <div className="terminal-screen" ref={element} />
      {screen && !isOver && <KeyRow screen={screen} />}
      {isFinding && isActive && screen && <FindBar screen={screen} onClose={() => find(false)} />}
    </>
  );
}

function eventsOf(id: number): PlaceEvents {
  const { rename, ring, find, showKeys } = useTerminals.getState();
  return {
    onType: () => useKeeping.getState().touch(),
    onTitle: (title) => rename(id, title),
    onBell: () => ring(id),
    onFindKey: () => find(true),
    onKeysKey: () => showKeys(true),
    onLeaveKey: () => document.getElementById(`tab-${id}`)?.focus(),
  };
}
