import { useEffect, useState } from 'react';
import { useSession } from '../stores/session.ts';
import { ProgressCard } from './ProgressCard.tsx';

/** Most starts take less, in ms. Drawing their progress would take a tenth of the time in WebKit. */
const DELAY = 300;

/** Covers the terminals while a start goes on. */
export function StartCover() {
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), DELAY);
    return () => clearTimeout(timer);
  }, []);
  return (
    isDue && (
      <div className="stage-cover">
        <StartCard />
      </div>
    )
  );
}

/** Shows the progress of a start, or that a saved session goes on. */
function StartCard() {
  const kept = useSession(({ run }) => run?.kept);
  // The image of a session from outside may have to be pulled.
  if (!kept?.resumes || kept.file !== undefined) return <ProgressCard />;
  return (
    <section className="card progress" aria-label="Progress">
      <p className="state state-preparing" role="status">
        Going on with {kept.name}
      </p>
    </section>
  );
}
