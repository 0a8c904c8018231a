import { lazy } from 'react';
import { useTerminals } from '../stores/terminals.ts';
import { IconButton } from './Button.tsx';
import { Later } from './Later.tsx';

const KeysDialog = lazy(() => import('./KeysDialog.tsx'));

/** Opens the list of keys. */
export function KeysButton() {
  const { areKeysShown, showKeys } = useTerminals();
  return (
    <>
      <IconButton icon="help" label="Keys" title="Keys (Ctrl+?)" onClick={() => showKeys(true)} />
      {areKeysShown && (
        <Later>
          <KeysDialog onClose={() => showKeys(false)} />
        </Later>
      )}
    </>
  );
}
