import { lazy } from 'react';
import { useLive } from '../stores/live.ts';
import { Button, IconButton } from './Button.tsx';
import { Later } from './Later.tsx';

const LiveScreen = lazy(() => import('./LiveScreen.tsx'));

/** A shell on the first screen, to try at once. */
export function LiveTerminal() {
  const { isOffered, isWanted, phase, port, hasOutput, note, start, want } = useLive();
  if (!isOffered) return null;
  if (!isWanted)
    return (
      <Button icon="terminal" look="plain" className="live-open" onClick={() => want(true)}>
        Open a terminal here
      </Button>
    );
  const isOver = phase === 'off' || phase === 'ended';
  return (
    <section className="card live" aria-label="A terminal to try">
      <div className="live-bar">
        <p className={`state state-${phase === 'starting' ? 'preparing' : phase}`} role="status">
          {phase === 'starting' && 'BusyBox is starting'}
          {phase === 'running' && (note || 'BusyBox is running: type here')}
          {isOver && (note || 'BusyBox does not run')}
        </p>
        {isOver && (
          <Button icon="run" onClick={() => void start()}>
            Start it
          </Button>
        )}
        <IconButton icon="close" label="Close this terminal" onClick={() => want(false)} />
      </div>
      <div className="live-stage">
        {port && (
          <Later>
            <LiveScreen key={port.key} port={port} isOver={isOver} />
          </Later>
        )}
        {!hasOutput && <p className="live-cover">{phase === 'starting' && 'Booting Linux…'}</p>}
      </div>
    </section>
  );
}
