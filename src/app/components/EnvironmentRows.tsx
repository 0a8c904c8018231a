import { useId } from 'react';
import type { Variable } from '../model/form.ts';
import { useForm } from '../stores/form.ts';
import { Button, IconButton } from './Button.tsx';
import { FieldNote } from './Field.tsx';
import { PLAIN_TEXT } from './plain-text.ts';

/** The environment, a row for each variable. */
export function EnvironmentRows({ error }: { error: string | undefined }) {
  const id = useId();
  const env = useForm(({ form }) => form.env);
  const change = useForm((state) => state.change);
  const replace = (at: number, variable: Partial<Variable>) =>
    change({ env: env.map((old, index) => (index === at ? { ...old, ...variable } : old)) });
  const empty = env.filter(({ name, value }) => name !== '' && value === '').map(({ name }) => name);
  return (
    <fieldset className="environment" aria-describedby={`${id}-note`}>
      <legend>Environment</legend>
      {env.map((variable, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no identity but its place
        <div className="environment-row" key={at}>
          <input
            aria-label={`Name of variable ${at + 1}`}
            placeholder="NAME"
            value={variable.name}
            onChange={({ target }) => replace(at, { name: target.value })}
            {...PLAIN_TEXT}
          />
          <span aria-hidden="true">=</span>
          <input
            aria-label={`Value of variable ${at + 1}`}
            placeholder="value"
            value={variable.value}
            onChange={({ target }) => replace(at, { value: target.value })}
            {...PLAIN_TEXT}
          />
          <IconButton
            icon="close"
            label={`Remove variable ${at + 1}`}
            onClick={() => change({ env: env.filter((_, index) => index !== at) })}
          />
        </div>
      ))}
      <Button icon="plus" onClick={() => change({ env: [...env, { name: '', value: '' }] })}>
        Add a variable
      </Button>
      {(error || empty.length > 0) && (
        <FieldNote
          id={`${id}-note`}
          error={error}
          hint={`Without a value: ${empty.join(', ')}. Recent runs keep no values, and most links carry none.`}
        />
      )}
    </fieldset>
  );
}
