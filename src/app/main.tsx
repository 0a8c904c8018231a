import './styles/index.css';
import { createRoot } from 'react-dom/client';
import { FrameNotice } from './components/FrameNotice.tsx';
import { whenIdle } from './components/idle.ts';
import { Page } from './components/Page.tsx';
import { prepareTerminals } from './components/Terminals.tsx';
import { goesToLocalName } from './local-name.ts';
import { reloadsIsolated } from './offline/isolate.ts';
import { holdRelease, keepOffline } from './offline/keep.ts';
import { cleanAddress, readAddress } from './stores/address.ts';
import { loadedMachinery, loadMachinery } from './stores/connection.ts';
import { useForm } from './stores/form.ts';
import { useKept } from './stores/kept.ts';
import { endWhenKept, guardPage } from './stores/leaving.ts';
import { useLibrary } from './stores/library.ts';
import { startLive, useLive, watchLive } from './stores/live.ts';
import { useOpening } from './stores/opening.ts';
import { useProject } from './stores/project.ts';
import { currentRelay } from './stores/relay.ts';
import { saveWhenHidden } from './stores/saving.ts';
import { followHistory, resumeInterrupted } from './stores/start.ts';
import { applyTheme } from './stores/theme.ts';
import { findObstacle, isEmbedded, isFramed, savesData } from './support.ts';

const place = document.querySelector('#page') as HTMLElement;
const obstacle = findObstacle(globalThis);
if (!(await goesToLocalName()) && !(await reloadsIsolated())) await open();

async function open(): Promise<void> {
  if (isEmbedded(location)) (await import('./embedded.ts')).showEmbedded(place);
  else if (isFramed(globalThis)) createRoot(place).render(<FrameNotice />);
  else openPage();
}

function openPage(): void {
  applyTheme();
  holdRelease();
  followAddress();
  const goesOn = !obstacle && resumeInterrupted();
  followHistory();
  guardPage();
  endWhenKept();
  saveWhenHidden();
  if (!goesOn) offerLive();
  createRoot(place).render(<Page obstacle={obstacle} />);
  whenIdle(prepare);
}

function followAddress(): void {
  const query = readAddress();
  useForm.getState().follow(query);
  const { form, isLink, projectAddress } = useForm.getState();
  if (projectAddress !== undefined) useProject.getState().offer(projectAddress);
  else if (isLink) cleanAddress(form, query);
}

/** Offers a live terminal, except to visitors with a link, who came for something else. */
function offerLive(): void {
  if (obstacle || useForm.getState().isLink) return;
  useLive.getState().offer();
  watchLive();
}

/** Loads what the first click needs while the browser is idle. */
function prepare(): void {
  performance.mark('linuxrun:interactive');
  void useLibrary.getState().refresh();
  if (obstacle) return;
  const { snapshot } = useForm.getState();
  if (snapshot !== undefined) void useOpening.getState().follow(snapshot);
  // A part that cannot be loaded now is loaded again on demand.
  loadMachinery()
    .then(({ prepareSession }) => prepareSession(currentRelay()))
    .catch(() => {})
    .then(() => {
      void useKept.getState().refresh();
      if (!savesData()) startLive();
      keepOffline(() => loadedMachinery()?.usedFiles() ?? []);
    });
  prepareTerminals().catch(() => {});
}
