import './styles/index.css';
import { createRoot } from 'react-dom/client';
import { Page } from './components/Page.tsx';
import { holdRelease, keepOffline } from './offline/keep.ts';
import { readAddress, writeAddress } from './stores/address.ts';
import { loadMachinery } from './stores/connection.ts';
import { useForm } from './stores/form.ts';
import { useLibrary } from './stores/library.ts';
import { applyTheme } from './stores/theme.ts';
import { findObstacle } from './support.ts';

const obstacle = findObstacle(globalThis);
applyTheme();
holdRelease();
followAddress();
createRoot(document.querySelector('#page') as HTMLElement).render(<Page obstacle={obstacle} />);

function followAddress(): void {
  const query = readAddress();
  useForm.getState().follow(query);
  const { form, isLink } = useForm.getState();
  if (isLink) writeAddress(form, query);
}

/** Loads what the first click needs while the browser is idle. */
function prepare(): void {
  performance.mark('linuxrun:interactive');
  void useLibrary.getState().refresh();
  if (obstacle) return;
  // A part that cannot be loaded now is loaded again on demand.
  loadMachinery()
    .then(({ prepareSession }) => prepareSession())
    .catch(() => {})
    .then(keepOffline);
  import('./components/TerminalPane.tsx').catch(() => {});
}

// Runs after the first paint. Safari has no requestIdleCallback.
if ('requestIdleCallback' in globalThis) requestIdleCallback(prepare, { timeout: 500 });
else setTimeout(prepare, 100);
