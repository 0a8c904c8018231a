import { Fragment } from 'react';
import { quoteWord } from '../../options/words.mjs';
import type { Wish } from '../model/check.ts';
import { folderName } from '../model/folders.ts';
import { count, formatBytes } from '../model/format.ts';
import { useFolders } from '../stores/folders.ts';

/** Says in one line what a click on Run does. */
export function WhatRuns({ wish }: { wish: Wish | undefined }) {
  const folders = useFolders(({ chosen }) => chosen);
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
          {wish.workdir !== undefined && (
            <>
              {' in '}
              <code>{wish.workdir}</code>
            </>
          )}
          {` on ${count(wish.cpus, 'CPU')}, ${formatBytes(wish.memoryBytes)} of memory, `}
          {`${formatBytes(wish.diskBytes)} of disk`}
          {wish.hasNetwork ? '' : ', without network'}
          {wish.devices.length > 0 && `, with ${wish.devices.join(' and ')}`}
          {folders.map((folder) => (
            <Fragment key={folder.path}>
              , with the folder {folderName(folder)} at <code>{folder.path}</code>
              {folder.mayWrite ? '' : ' to read only'}
            </Fragment>
          ))}
          {wish.ports.length > 0 && `, and shows ${describePorts(wish.ports)} here`}
        </>
      ) : (
        'Nothing can run until the marked fields are corrected'
      )}
    </section>
  );
}

function describePorts(ports: Wish['ports']): string {
  const containers = [...new Set(ports.map(({ container }) => container))];
  return `${containers.length > 1 ? 'ports' : 'port'} ${containers.join(' and ')}`;
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
