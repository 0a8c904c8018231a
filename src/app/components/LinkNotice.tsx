import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';

/** Tells the user that a link filled in the form. */
export function LinkNotice() {
  const { isLink, ignoredParameters } = useForm();
  if (!isLink) return null;
  return (
    <Notice tone="hint" title="A link filled this in">
      Check what it runs, then press Run. It runs in this tab only and cannot reach your files or network.
      {ignoredParameters.length > 0 && <> Unknown and ignored: {ignoredParameters.join(', ')}.</>}
    </Notice>
  );
}
