import { useSession } from '../stores/session.ts';
import { ProgressCard } from './ProgressCard.tsx';

/** Shows the progress of a start, or that a saved session goes on. */
export function StartCard() {
  const kept = useSession(({ run }) => run?.kept);
  if (!kept?.resumes) return <ProgressCard />;
  return (
    <section className="card progress" aria-label="Progress">
      <p className="state state-preparing" role="status">
        Going on with {kept.name}
      </p>
    </section>
  );
}
