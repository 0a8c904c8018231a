import { networkNotice } from '../../api/network-notice.ts';
import { useSession } from '../stores/session.ts';

/** Says why programs cannot reach the network, as soon as one has tried. */
export function NetworkNotice() {
  const notice = useSession(({ phase, traffic }) => {
    const hasEnded = phase === 'ended' || phase === 'failed';
    // Nobody tries to reach the relay of a container that has ended.
    if (!traffic || (hasEnded && traffic.status.state === 'down')) return undefined;
    return networkNotice(traffic.status);
  });
  if (notice === undefined) return null;
  return (
    <p className="agent-notice" role="alert">
      {notice}
    </p>
  );
}
