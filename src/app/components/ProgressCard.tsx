import { count } from '../model/format.ts';
import type { Progress } from '../model/progress.ts';
import { useSession } from '../stores/session.ts';
import { Steps } from './Steps.tsx';
import { useNow } from './use-now.ts';

/** Shows the progress of a start. */
export function ProgressCard() {
  const progress = useSession((session) => session.progress);
  const now = useNow();
  return (
    <section className="card progress" aria-label="Progress">
      <Steps steps={progress.steps} layers={progress.layers} now={now} />
      <p className="progress-retry" role="status">
        {progress.retry && `Trying again: ${progress.retry}`}
      </p>
      <p className="visually-hidden" role="status">
        {announcement(progress)}
      </p>
    </section>
  );
}

/** Returns the text for screen readers: steps, not bytes. */
function announcement({ steps, layers }: Progress): string {
  if (steps.start.began !== undefined) return 'Starting the program';
  if (steps.download.ended !== undefined) return 'The image is stored. Booting the kernel';
  if (steps.download.began === undefined) return 'Looking for the image';
  const done = layers.filter(({ state }) => state === 'cached' || state === 'verified').length;
  return `${done} of ${count(layers.length, 'layer')} stored`;
}
