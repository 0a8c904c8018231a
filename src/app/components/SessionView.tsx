import { useSession } from '../stores/session.ts';
import { EndNotice } from './EndNotice.tsx';
import { ProblemCard } from './ProblemCard.tsx';
import { ProgressCard } from './ProgressCard.tsx';
import { SessionBar } from './SessionBar.tsx';
import { StatusBar } from './StatusBar.tsx';
import { Terminals } from './Terminals.tsx';

/** What runs, from the click on Run to what it left on the screen. */
export function SessionView() {
  const phase = useSession((session) => session.phase);
  const hasOutput = useSession((session) => session.hasOutput);
  const isCovered = !hasOutput && phase !== 'ended';
  return (
    <main className="session">
      <SessionBar />
      <div className="stage">
        <Terminals />
        {isCovered && (
          <div className="stage-cover">{phase === 'failed' ? <ProblemCard /> : <ProgressCard />}</div>
        )}
      </div>
      {phase === 'failed' && hasOutput && <ProblemCard />}
      {phase === 'ended' && <EndNotice />}
      <StatusBar />
    </main>
  );
}
