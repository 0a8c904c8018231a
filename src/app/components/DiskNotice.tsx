import { useKeeping } from '../stores/keeping.ts';
import { Notice } from './Notice.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Says that the browser does not store what the container writes, and how to go on. */
export function DiskNotice() {
  const problem = useKeeping((keeping) => keeping.diskProblem);
  if (problem === undefined) return null;
  return (
    <Notice tone="problem" title="The browser does not store what it writes">
      <p>
        {problem}. Its programs go on, and their writes fail until there is room again: delete what you do not
        need, here or elsewhere on the disk. <StorageLink />
      </p>
    </Notice>
  );
}
