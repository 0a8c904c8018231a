import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';

/** That the form was filled in by somebody else. */
export function LinkNotice() {
  const { isLink, ignoredParameters } = useForm();
  if (!isLink) return null;
  return (
    <Notice tone="hint" title="A link filled this in">
      Look at what it runs, then press Run. It runs in this tab only, and can reach nothing of yours.
      {ignoredParameters.length > 0 && (
        <> Links have no {ignoredParameters.join(', ')}: what the link says there is left out.</>
      )}
    </Notice>
  );
}
