import { type RefObject, useEffect, useRef, useState } from 'react';
import { useSession } from '../stores/session.ts';
import { type TerminalTab, useTerminals } from '../stores/terminals.ts';
import { isDark, useTheme, watchDarkness } from '../stores/theme.ts';
import { Screen } from '../terminal/screen.ts';
import { FindBar } from './FindBar.tsx';
import { KeyRow } from './KeyRow.tsx';
import { ReadAloud } from './ReadAloud.tsx';

interface TerminalPaneProps {
  readonly tab: TerminalTab;
  readonly isActive: boolean;
}

/** A terminal and its process. */
export default function TerminalPane({ tab, isActive }: TerminalPaneProps) {
  const element = useRef<HTMLDivElement>(null);
  const { isFinding, find } = useTerminals();
  const screen = useScreen(element, tab);
  const isSessionOver = useSession(({ phase }) => phase === 'ended' || phase === 'failed');
  const isOver = isSessionOver || tab.hasFailed;

  const isSeen = useSession(({ hasOutput }) => hasOutput) && isActive;
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

/** Opens a screen in the element, for the element's lifetime. */
function useScreen(element: RefObject<HTMLDivElement | null>, { id, port }: TerminalTab): Screen | undefined {
  const [screen, setScreen] = useState<Screen>();
  useEffect(() => {
    const { rename, ring, find, showKeys } = useTerminals.getState();
    const opened = new Screen(
      element.current as HTMLDivElement,
      {
        onInput: (bytes) => port.type(bytes),
        onResize: (size) => port.resize(size),
        onTitle: (title) => rename(id, title),
        onBell: () => ring(id),
        onFindKey: () => find(true),
        onKeysKey: () => showKeys(true),
        onLeaveKey: () => document.getElementById(`tab-${id}`)?.focus(),
      },
      isDark(useTheme.getState().theme),
    );
    port.resize(opened.size);
    port.attach(opened);
    setScreen(opened);
    const unwatch = watchDarkness((dark) => opened.setDark(dark));
    return () => {
      unwatch();
      opened.dispose();
    };
  }, [element, id, port]);
  return screen;
}
