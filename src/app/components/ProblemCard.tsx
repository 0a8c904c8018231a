import type { Field } from '../model/form.ts';
import type { Problem } from '../model/problem.ts';
import { useSession } from '../stores/session.ts';
import { runInstead } from '../stores/start.ts';
import { Button } from './Button.tsx';
import { Choices } from './Choices.tsx';
import { returnToForm } from './focus.ts';
import { Icon } from './Icon.tsx';
import { StorageLink } from './StorageLink.tsx';

/** Shows what went wrong and how to go on. */
export function ProblemCard() {
  const problem = useSession((session) => session.problem);
  const restart = useSession((session) => session.restart);
  if (!problem) return null;
  return (
    <section className="card problem" role="alert">
      <h2>
        <Icon name="alert" />
        {problem.title}
      </h2>
      <p className="problem-text">{problem.text}</p>
      <p>
        {problem.advice} {problem.storage && <StorageLink />}
        {problem.choices && (
          <Choices choices={problem.choices} onChoose={(image) => void runInstead(image)} />
        )}
      </p>
      {problem.log && (
        <details>
          <summary>The kernel’s last words</summary>
          <pre>{problem.log}</pre>
        </details>
      )}
      <div className="problem-actions">
        <Button
          icon="restart"
          look={problem.field ? 'plain' : 'main'}
          onClick={() => (problem.needsReload ? location.reload() : void restart(!problem.isOver))}
        >
          {wayOn(problem)}
        </Button>
        <Button icon="back" look={problem.field ? 'main' : 'plain'} onClick={() => void returnToForm()}>
          {wayBack(problem.field)}
        </Button>
      </div>
    </section>
  );
}

/** Returns the text of the button that leads on to the container. */
function wayOn({ needsReload, isOver }: Problem): string {
  if (needsReload) return 'Reload the page';
  return isOver ? 'Start it again' : 'Try again';
}

/** Returns the text of the button that leads back to the form, at this field. */
function wayBack(field: Field | undefined): string {
  if (field === undefined || field === 'image') return 'Back to the form';
  return field === 'credentials' ? 'Sign in' : 'Change the options';
}
