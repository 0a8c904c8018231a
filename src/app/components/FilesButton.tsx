import { lazy } from 'react';
import { useTransfers } from '../stores/transfers.ts';
import { Button } from './Button.tsx';
import { Later } from './Later.tsx';

const FilesDialog = lazy(() => import('./FilesDialog.tsx'));

/** Opens the dialog for the container's files. */
export function FilesButton() {
  const { isShown, show } = useTransfers();
  return (
    <>
      <Button icon="file" onClick={() => show(true)}>
        Files
      </Button>
      {isShown && (
        <Later>
          <FilesDialog onClose={() => show(false)} />
        </Later>
      )}
    </>
  );
}
