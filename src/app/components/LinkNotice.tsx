import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';

const RELAY = 'LINUXRUN_RELAY';
const NAME = 'LINUXRUN_NAME';
const NETWORK = {
  none: 'It has no network.',
  usual: 'It reaches the internet, but not your network.',
};

/** Tells the user that a link filled in the form. */
export function LinkNotice() {
  const { form, isLink, snapshot, projectAddress, ignoredParameters } = useForm();
  // A saved session and a project have notices of their own.
  if (!isLink || snapshot !== undefined || projectAddress !== undefined) return null;
  const unknown = ignoredParameters.filter((name) => name !== RELAY && name !== NAME);
  return (
    <Notice tone="hint" title="A link filled this in">
      Check what it runs, then press Run. It runs in this tab only and cannot reach your files.{' '}
      {NETWORK[form.network === 'none' ? 'none' : 'usual']}
      {unknown.length > 0 && <> Unknown and ignored: {unknown.join(', ')}.</>}
      {ignoredParameters.includes(NAME) && (
        <> Ignored: {NAME}, because no link may reach a container that is kept here.</>
      )}
      {ignoredParameters.includes(RELAY) && (
        <> Ignored: {RELAY}, because whoever names the relay sees all traffic.</>
      )}
    </Notice>
  );
}
