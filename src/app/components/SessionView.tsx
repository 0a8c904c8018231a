import { lazy } from 'react';
import { droppedFiles } from '../model/dropped.ts';
import { destination, useFiles } from '../stores/files.ts';
import { usePreviews } from '../stores/previews.ts';
import { useSession } from '../stores/session.ts';
import { AgentNotice } from './AgentNotice.tsx';
import { CutOffNotice } from './CutOffNotice.tsx';
import { DiskNotice } from './DiskNotice.tsx';
import { KeepNotice } from './KeepNotice.tsx';
import { Later } from './Later.tsx';
import { LeaveDialog } from './LeaveDialog.tsx';
import { LessMemoryNotice } from './LessMemoryNotice.tsx';
import { NetworkNotice } from './NetworkNotice.tsx';
import { PortNotice } from './PortNotice.tsx';
import { ProblemCard } from './ProblemCard.tsx';
import { SessionBar } from './SessionBar.tsx';
import { SilenceNotice } from './SilenceNotice.tsx';
import { StartCard } from './StartCard.tsx';
import { StatusBar } from './StatusBar.tsx';
import { Terminals } from './Terminals.tsx';
import { useDrop } from './use-drop.ts';
import { useOnePanel } from './use-one-panel.ts';
import { useTitle } from './use-title.ts';
import { useVisibleArea } from './use-visible-area.ts';

const PreviewPane = lazy(() => import('./PreviewPane.tsx'));
const FilesPanel = lazy(() => import('./FilesPanel.tsx'));

/** A session, from the click on Run to its last output. */
export function SessionView() {
  const phase = useSession((session) => session.phase);
  useTitle();
  useVisibleArea();
  const hasOutput = useSession((session) => session.hasOutput);
  const areFilesShown = useFiles(({ isShown }) => isShown) && phase === 'running';
  const isPreviewShown = usePreviews(({ isShown }) => isShown);
  useOnePanel(areFilesShown, isPreviewShown);
  const drop = useDrop(async ({ items }, target) => {
    if (phase !== 'running') return;
    const folder = target.closest<HTMLElement>('[data-folder]')?.dataset.folder;
    const dropped = droppedFiles(items);
    await useFiles.getState().show();
    await useFiles.getState().offer(await dropped, folder ?? destination());
  });
  const isCovered = !hasOutput && (phase === 'preparing' || phase === 'failed');
  const isRunning = phase === 'running' || phase === 'suspending';
  const isSilent = !hasOutput && (phase === 'running' || phase === 'stopping');
  return (
    <main className="session" {...drop.handlers} data-dropping={drop.isOver || undefined}>
      <SessionBar />
      {phase === 'running' && <PortNotice />}
      <div className="workspace">
        <div className="stage">
          <Terminals />
          {isCovered && (
            <div className="stage-cover">{phase === 'failed' ? <ProblemCard /> : <StartCard />}</div>
          )}
          {isRunning && <KeepNotice />}
          {isSilent && <p className="stage-note">The program runs, and has not written anything yet.</p>}
        </div>
        {isPreviewShown && (
          <Later>
            <PreviewPane />
          </Later>
        )}
        {areFilesShown && (
          <Later>
            <FilesPanel />
          </Later>
        )}
      </div>
      {phase === 'failed' && hasOutput && <ProblemCard />}
      <AgentNotice />
      <LessMemoryNotice />
      <SilenceNotice />
      <CutOffNotice />
      <DiskNotice />
      <NetworkNotice />
      <StatusBar />
      <LeaveDialog />
    </main>
  );
}
