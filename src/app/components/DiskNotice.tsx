import { explain } from '../model/problem.ts';
import { useKeeping } from '../stores/keeping.ts';
import { Notice } from './Notice.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Says that the browser does not store what the container writes, and how to go on. */
export function DiskNotice() {
  const failure = useKeeping((keeping) => keeping.diskProblem);
  if (!failure) return null;
  const { title, advice } = explain(failure);
  return (
    <Notice tone="problem" title={title}>
      <p>
        What its programs write fails until there is room again: they go on, and can try it again. {advice}{' '}
        <StorageLink />
      </p>
    </Notice>
  );
}
