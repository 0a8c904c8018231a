import { lazy } from 'react';
import { useTerminals } from '../stores/terminals.ts';
import { Later } from './Later.tsx';
import { TerminalTabs } from './TerminalTabs.tsx';

const TerminalPane = lazy(() => import('./TerminalPane.tsx'));

/** The terminals, one of which is visible. */
export function Terminals() {
  const { tabs, active } = useTerminals();
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
