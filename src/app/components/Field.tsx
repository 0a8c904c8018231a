import type { ReactNode } from 'react';
import { PLAIN_TEXT } from './plain-text.ts';

interface FieldProps {
  /** An id that is unique in the page. */
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly error?: string | undefined;
  readonly hint?: ReactNode;
  readonly placeholder?: string;
  readonly type?: 'text' | 'password';
  readonly inputMode?: 'numeric';
  readonly className?: string;
}

/** A text field with its label and a note about its content. */
export function Field({ id, label, value, onChange, error, hint, className = '', ...input }: FieldProps) {
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        onChange={({ target }) => onChange(target.value)}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        {...PLAIN_TEXT}
        {...input}
      />
      <FieldNote id={`${id}-note`} error={error} hint={hint} />
    </div>
  );
}

interface SwitchProps {
  /** An id that is unique in the page. */
  readonly id: string;
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly error: string | undefined;
  readonly hint: string;
}

/** A checkbox with a note about it. */
export function Switch({ id, label, isOn, onChange, error, hint }: SwitchProps) {
  return (
    <>
      <label className="choice">
        <input
          type="checkbox"
          id={id}
          checked={isOn}
          onChange={({ target }) => onChange(target.checked)}
          aria-invalid={error !== undefined}
          aria-describedby={`${id}-note`}
        />
        <span>{label}</span>
      </label>
      <FieldNote id={`${id}-note`} error={error} hint={hint} />
    </>
  );
}

/** The note under a field: its error, or else a hint. */
export function FieldNote({ id, error, hint }: { id: string; error?: string | undefined; hint?: ReactNode }) {
  return (
    <p id={id} className={error ? 'field-note field-error' : 'field-note'} aria-live="polite">
      {error ?? hint}
    </p>
  );
}
