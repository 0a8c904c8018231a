import { useForm } from '../stores/form.ts';
import { Notice } from './Notice.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Shows why the last run failed, above the form where the user can correct it. */
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
