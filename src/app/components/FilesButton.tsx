import { useFiles } from '../stores/files.ts';
import { Button } from './Button.tsx';

const ID = 'files-button';

/** Focuses the button, because what had the focus is gone. */
export function focusFiles(): void {
  document.getElementById(ID)?.focus();
}

/** Opens and closes the panel of the container's files. */
export function FilesButton() {
  const { isShown, show, hide } = useFiles();
  return (
    <Button id={ID} icon="file" aria-expanded={isShown} onClick={() => (isShown ? hide() : void show())}>
      Files
    </Button>
  );
}
