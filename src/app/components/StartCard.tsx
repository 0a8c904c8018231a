import { useSession } from '../stores/session.ts';
import { ProgressCard } from './ProgressCard.tsx';

/** Shows the progress of a start, or that a saved session goes on. */
export function StartCard() {
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
