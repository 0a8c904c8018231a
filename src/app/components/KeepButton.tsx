import { useId, useState } from 'react';
import { formatAge } from '../model/format.ts';
import { type LinkOptions, splitVariable } from '../model/link.ts';
import { type Keeping, useKeeping } from '../stores/keeping.ts';
import { downloadProject } from '../stores/project.ts';
import { downloadSession, saveStart } from '../stores/saving.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';
import { suspendHere } from './focus.ts';
import { ShareDialog } from './ShareDialog.tsx';

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
  const [isAsking, setAsking] = useState(false);
  const env = useSession(({ run }) => run?.wish.env);
  const valued = (env ?? []).map(splitVariable).filter(({ value }) => value !== '');
  const download = (options: LinkOptions) => {
    setAsking(false);
    void downloadProject(options);
  };
  return (
    <>
      <Button icon="keep" className={isKept ? 'button-on' : ''} popoverTarget={id}>
        {LABELS[keeping]}
      </Button>
      <section id={id} popover="auto" className="card keep-card" aria-label="Whether it is kept">
        {isKept ? (
          <Kept onProject={() => (valued.length > 0 ? setAsking(true) : download({ withValues: false }))} />
        ) : (
          <NotKept keeping={keeping} />
        )}
      </section>
      {isAsking && (
        <ShareDialog
          title="Download the project"
          what="the project"
          action={{ icon: 'download', label: 'Download it' }}
          names={valued.map(({ name }) => name)}
          onShare={download}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Kept({ onProject }: { onProject: () => void }) {
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
        <Button icon="download" onClick={onProject}>
          Download project
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
