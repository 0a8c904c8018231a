import { useId } from 'react';
import { formatAge } from '../model/format.ts';
import { type Keeping, useKeeping } from '../stores/keeping.ts';
import { downloadSession, saveStart } from '../stores/saving.ts';
import { Button } from './Button.tsx';
import { suspendHere } from './focus.ts';

const LABELS: Record<Keeping, string> = {
  untouched: 'Not kept',
  keeping: 'Keeping',
  kept: 'Kept',
  refused: 'Not kept',
  failed: 'Not kept',
};

/** Says whether the container is kept. It unfolds to what that means, and to what can be done with it. */
export function KeepButton() {
  const id = useId();
  const keeping = useKeeping((state) => state.keeping);
  const isKept = keeping === 'kept' || keeping === 'keeping';
  return (
    <>
      <Button icon="keep" className={isKept ? 'button-on' : ''} popoverTarget={id}>
        {LABELS[keeping]}
      </Button>
      <section id={id} popover="auto" className="card keep-card" aria-label="Whether it is kept">
        {isKept ? <Kept /> : <NotKept keeping={keeping} />}
      </section>
    </>
  );
}

function Kept() {
  const { name, savedAt, problem, isStart, refuse } = useKeeping();
  return (
    <>
      <h2>{name === undefined ? 'It is being kept' : `Kept as ${name}`}</h2>
      <p>
        Its files stay in this browser when it ends. A reload, or the next visit, goes on where its programs
        were{savedAt !== undefined && `: they were saved ${formatAge(savedAt, Date.now())}`}.
      </p>
      {problem && <p className="field-error">{problem}</p>}
      <div className="keep-actions">
        <Button icon="suspend" onClick={() => void suspendHere()}>
          Suspend
        </Button>
        <Button icon="download" onClick={() => void downloadSession()}>
          Download session
        </Button>
        <Button icon={isStart ? 'check' : 'run'} disabled={isStart} onClick={() => void saveStart()}>
          {isStart ? 'Starts here next time' : 'Start here next time'}
        </Button>
        <Button icon="trash" look="danger" onClick={() => void refuse()}>
          Don’t keep it
        </Button>
      </div>
    </>
  );
}

const WHY_NOT: Record<'untouched' | 'refused' | 'failed', string> = {
  untouched: 'It is kept as soon as you type something or change its files.',
  refused: 'Its files are gone when it ends.',
  failed: 'Its files are gone when it ends, because the browser cannot store them.',
};

function NotKept({ keeping }: { keeping: keyof typeof WHY_NOT }) {
  const { problem, keep } = useKeeping();
  return (
    <>
      <h2>Not kept</h2>
      <p>{WHY_NOT[keeping]}</p>
      {problem && <p className="field-error">{problem}</p>}
      <div className="keep-actions">
        <Button icon="keep" onClick={() => void keep()}>
          Keep it
        </Button>
      </div>
    </>
  );
}
