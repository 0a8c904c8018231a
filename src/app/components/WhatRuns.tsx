import { quoteWord } from '../../container/words.mjs';
import type { Wish } from '../model/check.ts';
import { count, formatBytes } from '../model/format.ts';

/** Says in one line what a click on Run does. */
export function WhatRuns({ wish }: { wish: Wish | undefined }) {
  return (
    <section className="what-runs" aria-label="What will run">
      {wish ? (
        <>
          Runs {commandOf(wish)}
          {wish.env.length > 0 && (
            <>
              {' with '}
              <code>{wish.env.map(quoteWord).join(' ')}</code>
            </>
          )}
          {` on ${count(wish.cpus, 'CPU')}, ${formatBytes(wish.memoryBytes)} of memory, `}
          {`${formatBytes(wish.diskBytes)} of disk`}
          {wish.hasNetwork ? '' : ', without network'}
          {wish.devices.length > 0 && `, with ${wish.devices.join(' and ')}`}
        </>
      ) : (
        'Nothing can run until the marked fields are corrected'
      )}
    </section>
  );
}

function commandOf({ entrypoint, args }: Wish) {
  if (!entrypoint && !args) return 'the image’s own program';
  const words = [...(entrypoint ?? []), ...(args ?? [])].map(quoteWord).join(' ');
  return (
    <>
      {!entrypoint && 'the image’s own program, with '}
      <code>{words}</code>
    </>
  );
}
