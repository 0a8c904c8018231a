import type { Wish } from '../model/check.ts';
import { count, formatBytes } from '../model/format.ts';

/** In one line, all that would happen at a click on Run. */
export function WhatRuns({ wish }: { wish: Wish | undefined }) {
  return (
    <section className="what-runs" aria-label="What will run">
      {wish ? (
        <>
          Runs <code>{commandOf(wish)}</code>
          {wish.env.length > 0 && (
            <>
              {' '}
              with <code>{wish.env.join(' ')}</code>
            </>
          )}{' '}
          on {count(wish.cpus, 'CPU')}, {formatBytes(wish.memoryBytes)} of memory,{' '}
          {formatBytes(wish.diskBytes)} of disk
        </>
      ) : (
        'Something below has to be mended first'
      )}
    </section>
  );
}

function commandOf({ entrypoint, args }: Wish): string {
  if (!entrypoint && !args) return 'what the image is made for';
  return [...(entrypoint ?? ['(the image’s program)']), ...(args ?? [])].map(quote).join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./()’ -]*$/.test(word) && (word.startsWith('(') || /^\S+$/.test(word))
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
