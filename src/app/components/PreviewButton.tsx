import { usePreviews } from '../stores/previews.ts';
import { useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';

export const PREVIEW_BUTTON_ID = 'preview-button';

/** Opens and closes the pane of previews, once there is something to see. */
export function PreviewButton() {
  const { listening, previews, isShown, show, hide, open } = usePreviews();
  const id = useSession(({ run }) => run?.previewId ?? '');
  const [first] = listening;
  if (first === undefined && previews.length === 0) return null;
  const toggle = () => {
    if (isShown) hide();
    else if (previews.length > 0) show();
    else if (first !== undefined) open(first, id);
  };
  return (
    <Button id={PREVIEW_BUTTON_ID} icon="preview" aria-expanded={isShown} onClick={toggle}>
      Preview
    </Button>
  );
}
