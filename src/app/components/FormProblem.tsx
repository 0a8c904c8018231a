import { useForm } from '../stores/form.ts';
import { Choices } from './Choices.tsx';
import { Notice } from './Notice.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Shows why the last run failed, above the form where the user can correct it. */
export function FormProblem() {
  const { problem, change } = useForm();
  if (!problem) return null;
  return (
    <Notice tone="problem" title={problem.title}>
      <p>{problem.text}</p>
      <p>
        {problem.advice} {problem.storage && <StorageLink />}
        {problem.choices && <Choices choices={problem.choices} onChoose={(image) => change({ image })} />}
      </p>
    </Notice>
  );
}
