import { useSession } from '../stores/session.ts';
import { Notice } from './Notice.tsx';

/** Says that the worker of a running container does not answer. */
export function SilenceNotice() {
  const isSilent = useSession((session) => session.isSilent);
  if (!isSilent) return null;
  return (
    <Notice tone="problem" title="The session does not answer">
      <p>
        The computer may be busy, and then it goes on by itself. If it does not, Restart begins anew, and a
        kept container has the files that it had written.
      </p>
    </Notice>
  );
}
