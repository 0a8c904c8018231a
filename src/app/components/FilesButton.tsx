import { useFiles } from '../stores/files.ts';
import { Button } from './Button.tsx';

export const FILES_BUTTON_ID = 'files-button';

/** Opens and closes the panel of the container's files. */
export function FilesButton() {
  const { isShown, show, hide } = useFiles();
  return (
    <Button
      id={FILES_BUTTON_ID}
      icon="file"
      aria-expanded={isShown}
      onClick={() => (isShown ? hide() : void show())}
    >
      Files
    </Button>
  );
}
