import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';

const SHOWN = 12;

/** Names the parts of a pasted command that do nothing here. */
export function PasteNotice() {
  const leftOut = useForm((state) => state.leftOut);
  if (leftOut.length === 0) return null;
  const more = leftOut.length - SHOWN;
  return (
    <Notice tone="hint" title="A command filled this in, in part">
      Left out, because a container here has no use for it:{' '}
      {leftOut.slice(0, SHOWN).map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a flag may come twice, and the list never changes
        <span key={at}>
          {at > 0 && ', '}
          <code>{part}</code>
        </span>
      ))}
      {more > 0 && ` and ${more} more`}.
    </Notice>
  );
}
