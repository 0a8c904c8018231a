import { lazy, Suspense, useState } from 'react';
import { Icon } from './Icon.tsx';

const FilesDialog = lazy(() => import('./FilesDialog.tsx'));

/** The way to the container's files. */
export function FilesButton() {
  const [isOpen, open] = useState(false);
  return (
    <>
      <button type="button" className="button button-quiet" onClick={() => open(true)}>
        <Icon name="file" />
        Files
      </button>
      {isOpen && (
        <Suspense>
          <FilesDialog onClose={() => open(false)} />
        </Suspense>
      )}
    </>
  );
}
