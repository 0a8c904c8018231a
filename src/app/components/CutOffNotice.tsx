import { formatMoment } from '../model/format.ts';
import { useKeeping } from '../stores/keeping.ts';
import { useLeaving } from '../stores/leaving.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

/** Says where a container goes on that was cut off, and offers to start it on its files. */
export function CutOffNotice() {
  const { cutOff, dismissCutOff } = useKeeping();
  const isRunning = useSession(({ phase }) => phase === 'running');
  if (!cutOff || !isRunning) return null;
  const moment = formatMoment(cutOff.saved, Date.now());
  const startOnFiles = () =>
    useLeaving.getState().ask('restart', () => void useSession.getState().restart(false));
  return (
    <Notice tone="hint" title="It was cut off">
      <p>
        {cutOff.goesOn
          ? `It goes on where it was saved ${moment}. What its programs did afterwards is lost.`
          : `It has written files after it was saved ${moment}, and has therefore started on these.`}
      </p>
      <div className="offer-actions">
        {cutOff.goesOn && (
          <Button icon="restart" look="plain" onClick={startOnFiles}>
            Start on its files instead
          </Button>
        )}
        <Button icon="close" look="plain" onClick={dismissCutOff}>
          Dismiss
        </Button>
      </div>
    </Notice>
  );
}
