import './styles/index.css';
import { createRoot } from 'react-dom/client';
import { Page } from './components/Page.tsx';
import { loadMachinery } from './stores/connection.ts';
import { useForm } from './stores/form.ts';
import { useLibrary } from './stores/library.ts';
import { applyTheme } from './stores/theme.ts';
import { findObstacle } from './support.ts';

const obstacle = findObstacle(globalThis);
applyTheme();
useForm.getState().follow(location.search);
createRoot(document.querySelector('#page') as HTMLElement).render(<Page obstacle={obstacle} />);

/** What the first click needs comes while nobody waits for it. */
function prepare(): void {
  performance.mark('linuxrun:interactive');
  void useLibrary.getState().refresh();
  if (obstacle) return;
  // What cannot be loaded is tried again when it is needed.
  loadMachinery()
    .then(({ prepareSession }) => prepareSession())
    .catch(() => {});
  import('./components/TerminalPane.tsx').catch(() => {});
}

// After the first paint. Safari has no requestIdleCallback.
if ('requestIdleCallback' in globalThis) requestIdleCallback(prepare, { timeout: 500 });
else setTimeout(prepare, 100);
