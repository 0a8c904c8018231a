import { type ComponentType, lazy, useEffect, useState } from 'react';
import { useTerminals } from '../stores/terminals.ts';
import { whenIdle } from './idle.ts';
import { Later } from './Later.tsx';
import type { TerminalPaneProps } from './TerminalPane.tsx';
import { TerminalTabs } from './TerminalTabs.tsx';

type Pane = ComponentType<TerminalPaneProps>;

const LaterPane = lazy(() => import('./TerminalPane.tsx'));
let LoadedPane: Pane | undefined;

/**
 * Loads the code of terminals and opens the screen of the next one, so that it is there at once: React shows
 * later parts 300 ms later.
 */
export async function prepareTerminals(): Promise<void> {
  LoadedPane = (await import('./TerminalPane.tsx')).default;
  await (await import('./spare-screen.ts')).prepareScreen();
}

/** The terminals, one of which is visible. */
export function Terminals() {
  const { tabs, active } = useTerminals();
  const [TerminalPane] = useState<Pane>(() => LoadedPane ?? LaterPane);
  useEffect(() => () => whenIdle(() => prepareTerminals().catch(() => {})), []);
  return (
    <>
      <TerminalTabs />
      <div className="terminal-panes">
        {tabs.map((tab) => (
          <div
            key={tab.id}
            className="terminal-pane"
            role="tabpanel"
            id={`terminal-${tab.id}`}
            aria-labelledby={`tab-${tab.id}`}
            aria-description="Control F6 leaves the terminal"
            hidden={tab.id !== active}
          >
            <Later>
              <TerminalPane tab={tab} isActive={tab.id === active} />
            </Later>
          </div>
        ))}
      </div>
    </>
  );
}
