import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

interface Props {
  /** The kind of thing. */
  readonly title: string;
  readonly source: string;
  /** The step that is being done. */
  readonly reading: string;
  /** Why it cannot be opened. */
  readonly problem: string | undefined;
  readonly onDismiss: () => void;
}

/** Says that something from outside is being read, or why it cannot be opened. */
export function OpeningNotice({ title, source, reading, problem, onDismiss }: Props) {
  const hasFailed = problem !== undefined;
  return (
    <Notice tone={hasFailed ? 'problem' : 'hint'} title={hasFailed ? `${source} cannot be opened` : title}>
      <p>{problem ?? reading}</p>
      <Button icon="close" look="plain" onClick={onDismiss}>
        Dismiss
      </Button>
    </Notice>
  );
}
