import { lazy, useState } from 'react';
import { Later } from './Later.tsx';

const Monitor = lazy(() => import('./Monitor.tsx'));

/** The monitor, which a button of the status bar opens. It measures only while it is open. */
export function MonitorCard({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <section
      id={id}
      popover="auto"
      className="card bar-card"
      aria-label="Monitor"
      onToggle={({ newState }) => setOpen(newState === 'open')}
    >
      {isOpen && (
        <Later>
          <Monitor />
        </Later>
      )}
    </section>
  );
}
