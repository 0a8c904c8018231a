import { usePreviews } from '../stores/previews.ts';
import { useSession } from '../stores/session.ts';
import { Button, IconButton } from './Button.tsx';

/** The pane offers the others. */
const MOST = 3;

/** Says which ports have opened, and offers their previews. */
export function PortNotice() {
  const { news, open, dismiss } = usePreviews();
  const id = useSession(({ run }) => run?.previewId ?? '');
  return (
    <div className="port-notices" role="status">
      {news.slice(-MOST).map((port) => (
        <p key={port} className="port-notice">
          <span>Port {port} is open</span>
          <Button icon="preview" look="plain" onClick={() => open(port, id)}>
            Open the preview
          </Button>
          <IconButton icon="close" label={`Dismiss port ${port}`} onClick={() => dismiss(port)} />
        </p>
      ))}
    </div>
  );
}
