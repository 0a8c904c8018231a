import { lazy, type ReactNode } from 'react';
import { droppedFiles } from '../model/dropped.ts';
import { useEditor } from '../stores/editor.ts';
import { destination, useFiles } from '../stores/files.ts';
import { useLayout } from '../stores/layout.ts';
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
import { PaneSwitch } from './PaneSwitch.tsx';
import { PortNotice } from './PortNotice.tsx';
import { ProblemCard } from './ProblemCard.tsx';
import { Separator } from './Separator.tsx';
import { SessionBar } from './SessionBar.tsx';
import { SilenceNotice } from './SilenceNotice.tsx';
import { StartCover } from './StartCover.tsx';
import { StatusBar } from './StatusBar.tsx';
import { sized } from './sized.ts';
import { Terminals } from './Terminals.tsx';
import { useDrop } from './use-drop.ts';
import { useMedia, WIDE } from './use-media.ts';
import { useOnePanel } from './use-one-panel.ts';
import { useTitle } from './use-title.ts';
import { useVisibleArea } from './use-visible-area.ts';

const PreviewPane = lazy(() => import('./PreviewPane.tsx'));
const EditorPane = lazy(() => import('./EditorPane.tsx'));
const FilesPanel = lazy(() => import('./FilesPanel.tsx'));

/** A session, from the click on Run to its last output. */
export function SessionView() {
  const phase = useSession((session) => session.phase);
  useTitle();
  useVisibleArea();
  const hasOutput = useSession((session) => session.hasOutput);
  const areFilesShown = useFiles(({ isShown }) => isShown) && phase === 'running';
  const isPreviewShown = usePreviews(({ isShown }) => isShown);
  const isEditorShown = useEditor(({ files }) => files.length > 0);
  useOnePanel(areFilesShown, isPreviewShown);
  const drop = useDrop(async ({ items }, target) => {
    if (phase !== 'running') return;
    const folder = target.closest<HTMLElement>('[data-folder]')?.dataset.folder;
    const dropped = droppedFiles(items);
    await useFiles.getState().show();
    await useFiles.getState().offer(await dropped, folder ?? destination());
  });
  const isRunning = phase === 'running' || phase === 'suspending';
  const isSilent = !hasOutput && (phase === 'running' || phase === 'stopping');
  return (
    <main className="session" {...drop.handlers} data-dropping={drop.isOver || undefined}>
      <SessionBar />
      {phase === 'running' && <PortNotice />}
      <div className="workspace">
        {areFilesShown && (
          <>
            <Later>
              <FilesPanel />
            </Later>
            <Separator division="files" label="Width of the files" controls="files" />
          </>
        )}
        <Panes isEditorShown={isEditorShown} isPreviewShown={isPreviewShown}>
          <Terminals />
          {phase === 'preparing' && !hasOutput && <StartCover />}
          {phase === 'failed' && !hasOutput && (
            <div className="stage-cover">
              <ProblemCard />
            </div>
          )}
          {isRunning && <KeepNotice />}
          {isSilent && <p className="stage-note">The program runs, and has not written anything yet.</p>}
        </Panes>
      </div>
      <PaneSwitch />
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

interface PanesProps {
  readonly isEditorShown: boolean;
  readonly isPreviewShown: boolean;
  /** What is on the stage of the terminals. */
  readonly children: ReactNode;
}

/** Editor, terminals and previews. On wide screens the editor has the others in a column beside it. */
function Panes({ isEditorShown, isPreviewShown, children }: PanesProps) {
  const isWide = useMedia(WIDE);
  const isColumn = isEditorShown && isWide;
  const sizes = useLayout((layout) => layout.sizes);
  return (
    <div className="panes" data-stacked={!isWide || undefined}>
      {isEditorShown && (
        <>
          <Later>
            <EditorPane />
          </Later>
          <Separator division="editor" label="Size of the editor" controls="editor" isStacked={!isWide} />
        </>
      )}
      <div className="side" data-column={isColumn || undefined}>
        <div id="terminals" className="stage" style={isPreviewShown ? sized(sizes.terminals) : undefined}>
          {children}
        </div>
        {isPreviewShown && (
          <>
            <Separator
              division="terminals"
              label="Size of the terminals"
              controls="terminals"
              isStacked={isColumn}
              isReversed={isColumn}
            />
            <Later>
              <PreviewPane />
            </Later>
          </>
        )}
      </div>
    </div>
  );
}
