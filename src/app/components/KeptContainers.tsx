import { lazy, useEffect, useId, useRef, useState } from 'react';
import type { KeptItem } from '../machine/messages.ts';
import { formatAge, formatBytes, formatMoment } from '../model/format.ts';
import { shortName } from '../model/names.ts';
import { type KeptQuestion, useKept } from '../stores/kept.ts';
import { runKept } from '../stores/start.ts';
import { Button, IconButton } from './Button.tsx';
import { Later } from './Later.tsx';
import { Notice } from './Notice.tsx';

/** How often the list is read while a container runs elsewhere, in ms. Nobody tells when it ends. */
const INTERVAL = 2000;

const KeptDialog = lazy(() => import('./KeptDialog.tsx'));

/** The containers whose files are kept in this browser. */
export function KeptContainers({ canRun }: { canRun: boolean }) {
  const { items, problem } = useKept();
  const [question, ask] = useState<KeptQuestion>();
  const isOneRunning = items.some(({ status }) => status === 'running');
  useEffect(() => {
    if (!isOneRunning) return;
    const look = () => !document.hidden && void useKept.getState().refresh();
    const timer = setInterval(look, INTERVAL);
    return () => clearInterval(timer);
  }, [isOneRunning]);
  if (items.length === 0 && !problem) return null;
  return (
    <section className="shelf" aria-label="My containers">
      <div className="kept-header">
        <div>
          <h2>My containers</h2>
          <p className="quiet">Kept in this browser, with all that you did in them.</p>
        </div>
        <ImportButton onPick={(changes) => ask({ kind: 'import', changes })} />
      </div>
      {problem && (
        <Notice tone="problem" title="That did not work">
          {problem}
        </Notice>
      )}
      <ul className="kept-items">
        {items.map((item) => (
          <Item key={item.name} item={item} canRun={canRun} ask={ask} />
        ))}
      </ul>
      {question && (
        <Later>
          <KeptDialog question={question} onClose={() => ask(undefined)} />
        </Later>
      )}
    </section>
  );
}

/** Takes a tar of changes. */
function ImportButton({ onPick }: { onPick: (changes: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button icon="upload" onClick={() => input.current?.click()}>
        Import changes
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="Changes of a container"
        accept=".tar,.gz,.tgz,.zst"
        onChange={({ target }) => {
          const [picked] = target.files ?? [];
          if (picked) onPick(picked);
          target.value = '';
        }}
      />
    </>
  );
}

interface ItemProps {
  readonly item: KeptItem;
  readonly canRun: boolean;
  readonly ask: (question: KeptQuestion) => void;
}

const STATES = { running: 'Running in another tab', suspended: 'Suspended', stopped: 'Stopped' };

function Item({ item, canRun, ask }: ItemProps) {
  const { name, image, lastUsed, usedBytes, status, saved } = item;
  const work = useKept((kept) => kept.work.get(name));
  const isIdle = status !== 'running' && work === undefined;
  const action = status === 'suspended' ? 'Resume' : 'Start';
  return (
    <li className="kept-item">
      <div className="kept-about">
        <p className="item-name">
          {name}
          <span className={`badge badge-${status}`}>{work ?? STATES[status]}</span>
        </p>
        <p className="quiet">
          {shortName(image)} · {formatBytes(usedBytes)} · used {formatAge(lastUsed, Date.now())}
          {status !== 'running' && saved !== undefined && ` · saved ${formatMoment(saved, Date.now())}`}
        </p>
      </div>
      <Button
        icon="run"
        look="plain"
        aria-label={`${action} ${name}`}
        disabled={!canRun || !isIdle}
        onClick={() => runKept(item)}
      >
        {action}
      </Button>
      <Menu item={item} canRun={canRun} isIdle={isIdle} ask={ask} />
    </li>
  );
}

/** Everything else that can be done with a container. */
function Menu({ item, canRun, isIdle, ask }: ItemProps & { isIdle: boolean }) {
  const id = useId();
  const { duplicate, exportChanges, exportImage } = useKept.getState();
  const { name, status, saved } = item;
  const closing = { popoverTarget: id, popoverTargetAction: 'hide' } as const;
  return (
    <>
      <IconButton icon="more" label={`More for ${name}`} popoverTarget={id} disabled={!isIdle} />
      <section id={id} popover="auto" className="card kept-menu" aria-label={`More for ${name}`}>
        <ul>
          {status === 'suspended' && (
            <li>
              <Button icon="restart" disabled={!canRun} {...closing} onClick={() => runKept(item, false)}>
                Start on its files
              </Button>
            </li>
          )}
          {status === 'stopped' && saved !== undefined && (
            <li>
              <Button icon="run" disabled={!canRun} {...closing} onClick={() => ask({ kind: 'go-on', item })}>
                Go on where it was saved
              </Button>
            </li>
          )}
          <li>
            <Button icon="rename" {...closing} onClick={() => ask({ kind: 'rename', item })}>
              Rename
            </Button>
          </li>
          <li>
            <Button icon="copy" {...closing} onClick={() => void duplicate(name)}>
              Duplicate
            </Button>
          </li>
          <li>
            <Button icon="download" {...closing} onClick={() => void exportChanges(name)}>
              Download its changes
            </Button>
          </li>
          <li>
            <Button icon="download" {...closing} onClick={() => void exportImage(name)}>
              Download as an image
            </Button>
          </li>
          <li>
            <Button icon="trash" look="danger" {...closing} onClick={() => ask({ kind: 'delete', item })}>
              Delete
            </Button>
          </li>
        </ul>
      </section>
    </>
  );
}
