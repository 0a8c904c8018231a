import { lazy } from 'react';
import { readRelease } from '../offline/release.ts';
import { useLibrary } from '../stores/library.ts';
import { Button } from './Button.tsx';
import { Later } from './Later.tsx';
import { ThemeButton } from './ThemeButton.tsx';

const StorageDialog = lazy(() => import('./StorageDialog.tsx'));

export function Header() {
  const { isShown, show } = useLibrary();
  // In development nobody writes them.
  const hasDocs = readRelease().version !== undefined;
  return (
    <header className="header">
      <p className="brand">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <rect width="16" height="16" rx="4" />
          <path d="M4.5 5l3 3-3 3M9 11h3" />
        </svg>
        LinuxRun
      </p>
      {hasDocs && (
        <a className="button button-quiet" href="docs/">
          Docs
        </a>
      )}
      <Button icon="storage" onClick={() => show(true)}>
        Storage
      </Button>
      <ThemeButton />
      {isShown && (
        <Later>
          <StorageDialog onClose={() => show(false)} />
        </Later>
      )}
    </header>
  );
}
