import { useState } from 'react';
import { formatBytes } from '../model/format.ts';
import { type Run, useSession } from '../stores/session.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

/** Says that the machine has less memory than it should have. */
export function LessMemoryNotice() {
  const { run, lessMemory, phase } = useSession();
  const [dismissed, dismiss] = useState<Run>();
  const isOver = phase === 'ended' || phase === 'failed';
  if (!run || lessMemory === undefined || isOver || run === dismissed) return null;
  return (
    <Notice tone="hint" title="The browser gives it less memory">
      <p>
        It has {formatBytes(lessMemory)} in place of {formatBytes(run.wish.memoryBytes)}. For more, close
        other tabs and programs, and Restart.
      </p>
      <div className="offer-actions">
        <Button icon="close" look="plain" onClick={() => dismiss(run)}>
          Dismiss
        </Button>
      </div>
    </Notice>
  );
}
