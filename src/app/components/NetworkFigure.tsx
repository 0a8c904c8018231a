import { formatBytes } from '../model/format.ts';
import {
  briefTraffic,
  describeLimits,
  describeRefusals,
  formatRate,
  type Traffic,
} from '../model/traffic.ts';
import { useSession } from '../stores/session.ts';

/** The state of the network, in a few words. It unfolds to `NetworkDetails` with the id `details`. */
export function NetworkFigure({ details }: { details: string }) {
  const traffic = useSession((session) => session.traffic);
  if (!traffic) return 'none';
  return (
    <button type="button" className="bar-button" popoverTarget={details}>
      {briefTraffic(traffic)}
    </button>
  );
}

export function NetworkDetails({ id }: { id: string }) {
  const traffic = useSession((session) => session.traffic);
  return (
    <section id={id} popover="auto" className="card bar-card" aria-label="The network">
      {traffic && <Details traffic={traffic} />}
    </section>
  );
}

const STATES = {
  idle: 'It connects when a program wants it.',
  connecting: 'It is being connected.',
  up: 'It is connected.',
  down: 'It is down.',
  off: 'There is none.',
};

function Details({ traffic: { status, receiving, sending } }: { traffic: Traffic }) {
  const { state, reason, received, sent, rate } = status;
  const refusals = describeRefusals(status);
  return (
    <>
      <p>{`${STATES[state]} ${reason ? `${reason}.` : ''}`}</p>
      <dl className="network-figures">
        <dt>Received</dt>
        <dd>{`${formatBytes(received)}, ${formatRate(receiving)} now`}</dd>
        <dt>Sent</dt>
        <dd>{`${formatBytes(sent)}, ${formatRate(sending)} now`}</dd>
        {rate !== undefined && (
          <>
            <dt>Limit</dt>
            <dd>{`${formatRate(rate)} in each direction by this server. ${describeLimits(status)}`}</dd>
          </>
        )}
        {refusals && (
          <>
            <dt>Refused</dt>
            <dd>{refusals}</dd>
          </>
        )}
      </dl>
    </>
  );
}
