import { formatReference } from '../../api/references.ts';
import { count } from '../model/format.ts';
import { shortName } from '../model/names.ts';
import { useEditor } from '../stores/editor.ts';
import { useKeeping } from '../stores/keeping.ts';
import { type Departure, useLeaving } from '../stores/leaving.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';
import { Dialog } from './Dialog.tsx';

const WORDS: Record<Departure, { readonly title: string; readonly action: string }> = {
  leave: { title: 'End', action: 'End it' },
  restart: { title: 'Restart', action: 'Restart it' },
};

const LOST =
  'It is still running, and its files are gone when it ends. First download those that you need, or keep it.';
const ENDED = 'It has ended.';
const KEPT = 'It is still running. Its files are kept, but its programs end.';

/** Asks before a running container ends. */
export function LeaveDialog() {
  const { departure, answer } = useLeaving();
  const run = useSession((session) => session.run);
  const { keeping, problem } = useKeeping();
  const hasEnded = useSession(({ phase }) => phase === 'ended' || phase === 'failed');
  const unsaved = useEditor(({ files }) => files.filter(({ isDirty }) => isDirty).length);
  const isKept = keeping === 'kept';
  if (!departure || !run) return null;
  const { title, action } = WORDS[departure];
  return (
    <Dialog
      title={`${title} ${shortName(formatReference(run.wish.reference))}?`}
      onClose={() => answer(false)}
    >
      <p>{hasEnded ? ENDED : isKept ? KEPT : LOST}</p>
      {unsaved > 0 && (
        <p>{`The editor has unsaved text in ${count(unsaved, 'file')}, which will be gone.`}</p>
      )}
      {isKept && problem && <p className="field-error">{problem}</p>}
      <div className="dialog-actions">
        <Button icon="terminal" look="main" onClick={() => answer(false)}>
          {hasEnded ? 'Stay here' : 'Keep it running'}
        </Button>
        <Button icon="stop" look="danger" onClick={() => answer(true)}>
          {hasEnded ? 'Go on' : action}
        </Button>
      </div>
    </Dialog>
  );
}
