import { useEditor } from '../stores/editor.ts';
import { useFiles } from '../stores/files.ts';
import { usePreviews } from '../stores/previews.ts';
import { giveRoom } from '../stores/room.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';

/** Chooses the pane that covers the others on a small screen, once there is an editor. */
export function PaneSwitch() {
  const { files, isInFront, setInFront } = useEditor();
  const isRunning = useSession(({ phase }) => phase === 'running');
  const areFilesShown = useFiles(({ isShown }) => isShown) && isRunning;
  const { isShown: isPreviewShown, previews } = usePreviews();
  if (files.length === 0) return null;
  const front = areFilesShown ? 'files' : isPreviewShown ? 'preview' : isInFront ? 'editor' : 'terminal';
  const showTerminal = () => {
    giveRoom(useFiles, usePreviews);
    setInFront(false);
  };
  return (
    <fieldset className="pane-switch" aria-label="Panes">
      <Button
        icon="folder"
        aria-pressed={front === 'files'}
        disabled={!isRunning}
        onClick={() => void useFiles.getState().show()}
      >
        Files
      </Button>
      <Button icon="file" aria-pressed={front === 'editor'} onClick={() => setInFront(true)}>
        Editor
      </Button>
      <Button icon="terminal" aria-pressed={front === 'terminal'} onClick={showTerminal}>
        Terminal
      </Button>
      {previews.length > 0 && (
        <Button
          icon="preview"
          aria-pressed={front === 'preview'}
          onClick={() => usePreviews.getState().show()}
        >
          Preview
        </Button>
      )}
    </fieldset>
  );
}
