import { lazy } from 'react';
import { useTerminals } from '../stores/terminals.ts';
import { Later } from './Later.tsx';
import { TerminalTabs } from './TerminalTabs.tsx';

const TerminalPane = lazy(() => import('./TerminalPane.tsx'));

/** The terminals, of which one is seen. */
export function Terminals() {
  const { tabs, active } = useTerminals();
  return (
    <>
      <TerminalTabs />
      <div className="terminal-panes">
        <Later>
          {tabs.map((tab) => (
            <TerminalPane key={tab.id} tab={tab} isActive={tab.id === active} />
          ))}
        </Later>
      </div>
    </>
  );
}
