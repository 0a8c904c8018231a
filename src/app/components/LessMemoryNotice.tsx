import { formatBytes } from '../model/format.ts';
import { useSession } from '../stores/session.ts';
import { Notice } from './Notice.tsx';

/** Says that the machine has less memory than it should have. */
export function LessMemoryNotice() {
  const { run, lessMemory, phase } = useSession();
  if (!run || lessMemory === undefined || phase === 'ended' || phase === 'failed') return null;
  return (
    <Notice tone="hint" title="The browser gives it less memory">
      <p>
        It has {formatBytes(lessMemory)} in place of {formatBytes(run.wish.memoryBytes)}. For more, close
        other tabs and programs, and Restart.
      </p>
    </Notice>
  );
}
