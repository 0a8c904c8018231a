import { lazy, Suspense } from 'react';
import { useSession } from '../stores/session.ts';

const TerminalPane = lazy(() => import('./TerminalPane.tsx'));

/** The terminals, of which one is seen. */
export function Terminals() {
  const { terminals, activeTerminal } = useSession();
  return (
    <Suspense>
      {terminals.map((tab) => (
        <TerminalPane key={tab.port.key} tab={tab} isActive={tab.id === activeTerminal} />
      ))}
    </Suspense>
  );
}
