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
  const isForOptions = problem.field !== undefined && problem.field !== 'image';
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
        <Button icon="restart" look={problem.field ? 'plain' : 'main'} onClick={() => void restart()}>
          Try again
        </Button>
        <Button icon="back" look={problem.field ? 'main' : 'plain'} onClick={() => void returnToForm()}>
          {isForOptions ? 'Change the options' : 'Back to the form'}
        </Button>
      </div>
    </section>
  );
}
