import { lazy } from 'react';
import { useTransfers } from '../stores/transfers.ts';
import { Icon } from './Icon.tsx';
import { Later } from './Later.tsx';

const FilesDialog = lazy(() => import('./FilesDialog.tsx'));

/** The way to the container's files. */
export function FilesButton() {
  const { isShown, show } = useTransfers();
  return (
    <>
      <button type="button" className="button button-quiet" onClick={() => show(true)}>
        <Icon name="file" />
        <span className="label">Files</span>
      </button>
      {isShown && (
        <Later>
          <FilesDialog onClose={() => show(false)} />
        </Later>
      )}
    </>
  );
}
