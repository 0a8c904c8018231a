import { lazy, Suspense } from 'react';
import { useTerminals } from '../stores/terminals.ts';
import { TerminalTabs } from './TerminalTabs.tsx';

const TerminalPane = lazy(() => import('./TerminalPane.tsx'));

/** The terminals, of which one is seen. */
export function Terminals() {
  const { tabs, active } = useTerminals();
  return (
    <>
      <TerminalTabs />
      <div className="terminal-panes">
        <Suspense>
          {tabs.map((tab) => (
            <TerminalPane key={tab.id} tab={tab} isActive={tab.id === active} />
          ))}
        </Suspense>
      </div>
    </>
  );
}
