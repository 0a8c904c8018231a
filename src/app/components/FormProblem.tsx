import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Why the last run failed, where it is put right. */
export function FormProblem() {
  const problem = useForm((state) => state.problem);
  if (!problem) return null;
  return (
    <Notice tone="problem" title={problem.title}>
      <p>{problem.text}</p>
      <p>
        {problem.advice} {problem.storage && <StorageLink />}
      </p>
    </Notice>
  );
}
