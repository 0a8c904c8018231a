import { useId } from 'react';
import { formatDuration } from '../model/format.ts';
import { useSession } from '../stores/session.ts';
import { Steps } from './Steps.tsx';

/** The time that the start took. It unfolds to the steps. */
export function StartHistory() {
  const id = useId();
  const { began, steps, layers } = useSession(({ progress }) => progress);
  const { ended } = steps.start;
  if (ended === undefined) return null;
  return (
    <>
      <button type="button" className="bar-button" popoverTarget={id}>
        Started in {formatDuration(ended - began)}
      </button>
      <section id={id} popover="auto" className="card bar-card start-history" aria-label="The start">
        <Steps steps={steps} layers={layers} now={ended} />
      </section>
    </>
  );
}
