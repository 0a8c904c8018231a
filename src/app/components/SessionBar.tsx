import { useEffect, useRef } from 'react';
import { formatReference } from '../../oci/reference.ts';
import { shortName } from '../model/names.ts';
import { type Phase, useSession } from '../stores/session.ts';
import { FilesButton } from './FilesButton.tsx';
import { returnToForm } from './focus.ts';
import { Icon } from './Icon.tsx';
import { ShareButton } from './ShareButton.tsx';

/** What runs, how it is, and what can be done with it. */
export function SessionBar() {
  const { phase, run, status, stop, kill, restart, leave } = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that led here is gone.
  useEffect(() => heading.current?.focus(), []);
  const name = run ? shortName(formatReference(run.wish.reference)) : '';
  // A failure has its own ways on.
  const canRestart = phase !== 'preparing' && phase !== 'failed';
  return (
    <div className="session-bar">
      <div className="session-title">
        <h1 ref={heading} tabIndex={-1}>
          {name}
        </h1>
        <p className={`state state-${phase}`} role="status">
          {describe(phase, status)}
        </p>
      </div>
      <div className="session-actions">
        {phase === 'preparing' && (
          <button type="button" className="button button-quiet" onClick={() => void leave()}>
            <Icon name="close" />
            <span className="label">Cancel</span>
          </button>
        )}
        {phase === 'running' && (
          <button type="button" className="button button-quiet" onClick={stop}>
            <Icon name="stop" />
            <span className="label">Stop</span>
          </button>
        )}
        {phase === 'stopping' && (
          <button type="button" className="button button-quiet" onClick={kill}>
            <Icon name="stop" />
            <span className="label">Kill now</span>
          </button>
        )}
        {canRestart && (
          <button type="button" className="button button-quiet" onClick={() => void restart()}>
            <Icon name="restart" />
            <span className="label">Restart</span>
          </button>
        )}
        <ShareButton />
        {phase === 'running' && <FilesButton />}
        {canRestart && (
          <button
            type="button"
            className={phase === 'ended' ? 'button button-main' : 'button button-quiet'}
            onClick={() => void returnToForm()}
          >
            <Icon name="back" />
            <span className="label">Run another</span>
          </button>
        )}
      </div>
    </div>
  );
}

function describe(phase: Phase, status: number | undefined): string {
  switch (phase) {
    case 'none':
      return '';
    case 'preparing':
      return 'Starting';
    case 'running':
      return 'Running';
    case 'stopping':
      return 'Stopping, in 10 seconds at most';
    case 'ended':
      return `Ended with status ${status}`;
    case 'failed':
      return 'Failed';
  }
}
