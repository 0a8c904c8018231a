import { useEffect, useRef } from 'react';
import { formatReference } from '../../api/references.ts';
import { isEmulated } from '../../options/platform.mjs';
import { shortName } from '../model/names.ts';
import { useLeaving } from '../stores/leaving.ts';
import { formOf, type Phase, useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';
import { FilesButton } from './FilesButton.tsx';
import { returnToForm, suspendHere } from './focus.ts';
import { KeepButton } from './KeepButton.tsx';
import { PreviewButton } from './PreviewButton.tsx';
import { ShareButton } from './ShareButton.tsx';

/** Shows what runs, its state, and the actions for it. */
export function SessionBar() {
  const { phase, run, platform, status, stop, kill, restart } = useSession();
  const ask = useLeaving((leaving) => leaving.ask);
  const heading = useRef<HTMLHeadingElement>(null);
  const isStarting = phase === 'preparing';
  // The button that started it is gone.
  useEffect(() => {
    if (isStarting) heading.current?.focus();
  }, [isStarting]);
  const name = run ? shortName(formatReference(run.wish.reference)) : '';
  // The card of a failure has its own buttons.
  const canRestart = !isStarting && phase !== 'failed';
  return (
    <div className="session-bar">
      <div className="session-title">
        <h1 ref={heading} tabIndex={-1}>
          {name}
        </h1>
        <p className={`state state-${phase}`} role="status">
          {describe(phase, status)}
        </p>
        {platform !== undefined && isEmulated(platform) && (
          <p className="quiet">{`${platform}: emulated, about ten times slower`}</p>
        )}
      </div>
      <div className="session-actions">
        {isStarting && (
          <Button icon="close" onClick={() => void returnToForm()}>
            Cancel
          </Button>
        )}
        {phase === 'running' && (
          <Button icon="stop" onClick={stop}>
            Stop
          </Button>
        )}
        {phase === 'running' && (
          <Button icon="suspend" className="session-suspend" onClick={() => void suspendHere()}>
            Suspend
          </Button>
        )}
        {phase === 'stopping' && (
          <Button icon="stop" onClick={kill}>
            Kill now
          </Button>
        )}
        {canRestart && (
          <Button icon="restart" onClick={() => ask('restart', () => void restart(false))}>
            Restart
          </Button>
        )}
        {phase === 'running' && <KeepButton />}
        {run && <ShareButton form={formOf(run)} address={run.projectAddress} />}
        {phase === 'running' && <PreviewButton />}
        {phase === 'running' && <FilesButton />}
        {canRestart && (
          <Button
            icon="back"
            look={phase === 'ended' ? 'main' : 'quiet'}
            onClick={() => ask('leave', () => void returnToForm())}
          >
            Run another
          </Button>
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
    case 'suspending':
      return 'Suspending';
    case 'stopping':
      return 'Stopping, in 10 seconds at most';
    case 'ended':
      return `Ended with status ${status}`;
    case 'failed':
      return status === undefined ? 'Failed' : `Failed with status ${status}`;
  }
}
