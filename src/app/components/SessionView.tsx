import { useSession } from '../stores/session.ts';
import { useTransfers } from '../stores/transfers.ts';
import { AgentNotice } from './AgentNotice.tsx';
import { LeaveDialog } from './LeaveDialog.tsx';
import { ProblemCard } from './ProblemCard.tsx';
import { ProgressCard } from './ProgressCard.tsx';
import { SessionBar } from './SessionBar.tsx';
import { StatusBar } from './StatusBar.tsx';
import { Terminals } from './Terminals.tsx';
import { useDrop } from './use-drop.ts';
import { useTitle } from './use-title.ts';
import { useVisibleArea } from './use-visible-area.ts';

/** A session, from the click on Run to its last output. */
export function SessionView() {
  const phase = useSession((session) => session.phase);
  useTitle();
  useVisibleArea();
  const hasOutput = useSession((session) => session.hasOutput);
  const { show, upload } = useTransfers.getState();
  const drop = useDrop(({ files }) => {
    if (phase !== 'running') return;
    show(true);
    void upload([...files]);
  });
  const isCovered = !hasOutput && (phase === 'preparing' || phase === 'failed');
  const isSilent = !hasOutput && (phase === 'running' || phase === 'stopping');
  return (
    <main className="session" {...drop.handlers} data-dropping={drop.isOver || undefined}>
      <SessionBar />
      <div className="stage">
        <Terminals />
        {isCovered && (
          <div className="stage-cover">{phase === 'failed' ? <ProblemCard /> : <ProgressCard />}</div>
        )}
        {isSilent && <p className="stage-note">The program runs, and has not written anything yet.</p>}
      </div>
      {phase === 'failed' && hasOutput && <ProblemCard />}
      <AgentNotice />
      <StatusBar />
      <LeaveDialog />
    </main>
  );
}
