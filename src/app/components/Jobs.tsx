import { formatBytes } from '../model/format.ts';
import { type Job, useJobs } from '../stores/jobs.ts';
import { IconButton } from './Button.tsx';
import { Icon } from './Icon.tsx';

/** Transfers and their progress. */
export function Jobs() {
  const jobs = useJobs((state) => state.jobs);
  return (
    <ul className="jobs" aria-label="Transfers">
      {jobs.map((job) => (
        <JobItem key={job.id} job={job} />
      ))}
    </ul>
  );
}

function JobItem({ job: { id, title, bytes, total, state, note } }: { job: Job }) {
  const { cancel, dismiss } = useJobs.getState();
  const isRunning = state === 'running';
  return (
    <li className={`job job-${state}`}>
      {state === 'done' && <Icon name="check" />}
      {state === 'failed' && <Icon name="alert" />}
      <div className="job-text">
        <p role={isRunning ? undefined : 'status'}>{state === 'failed' ? note : title}</p>
        <p className="quiet">{detailOf({ bytes, total, state, note })}</p>
        {isRunning && (
          <progress
            aria-label={title}
            max={total || 1}
            value={total ? Math.min(bytes ?? 0, total) : undefined}
          />
        )}
      </div>
      {isRunning ? (
        <IconButton icon="close" label={`Cancel: ${title}`} onClick={() => cancel(id)} />
      ) : (
        <IconButton icon="close" label={`Forget: ${title}`} onClick={() => dismiss(id)} />
      )}
    </li>
  );
}

function detailOf({ bytes, total, state, note }: Pick<Job, 'bytes' | 'total' | 'state' | 'note'>): string {
  if (state === 'cancelled') return 'Cancelled';
  if (bytes === undefined || state === 'failed') return '';
  if (state === 'running' && total) return `${formatBytes(bytes)} of ${formatBytes(total)}`;
  return note ? `${formatBytes(bytes)}, ${note}` : formatBytes(bytes);
}
