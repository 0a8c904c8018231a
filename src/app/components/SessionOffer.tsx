import { quoteWord } from '../../options/words.mjs';
import { count, formatAge, formatBytes } from '../model/format.ts';
import { shortName } from '../model/names.ts';
import { useOpening } from '../stores/opening.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';
import { OpeningNotice } from './OpeningNotice.tsx';

/** Says what a saved session from outside holds, and waits for a click before it goes on. */
export function SessionOffer({ canRun }: { canRun: boolean }) {
  const { source, offer, problem, open, dismiss } = useOpening();
  if (source === undefined) return null;
  if (problem !== undefined || !offer)
    return (
      <OpeningNotice
        title="A saved session"
        {...{ source, problem }}
        reading={`Reading the beginning of ${source}`}
        onDismiss={dismiss}
      />
    );
  const { image, memoryBytes, cpus, saved, bytes } = offer.about;
  const command = offer.about.command.map(quoteWord).join(' ');
  return (
    <Notice tone="hint" title={`A saved session of ${shortName(image)}`}>
      <p>
        {source}, {bytes === undefined ? 'of unknown size' : formatBytes(bytes)}: saved{' '}
        {formatAge(saved, Date.now())}, with {formatBytes(memoryBytes)} of memory and {count(cpus, 'CPU')}
        {command && (
          <>
            , running <code>{command}</code>
          </>
        )}
        . Its programs go on where they were, and reach the internet. Open it only if you trust whoever saved
        it: it runs in this tab only, and cannot reach your files.
      </p>
      <div className="offer-actions">
        <Button icon="run" look="main" disabled={!canRun} onClick={open}>
          Open it
        </Button>
        <Button icon="close" look="plain" onClick={dismiss}>
          Dismiss
        </Button>
      </div>
    </Notice>
  );
}
