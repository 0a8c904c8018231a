import { nameOfChoice } from '../model/names.ts';

interface ChoicesProps {
  /** References, at least one. */
  readonly choices: readonly string[];
  readonly chosen?: string | undefined;
  readonly onChoose: (reference: string) => void;
}

/** Offers references to use instead: one as a button, several as a menu of names. */
export function Choices({ choices, chosen = '', onChoose }: ChoicesProps) {
  const [first, ...others] = choices;
  if (first === undefined) return null;
  if (others.length === 0)
    return (
      <button type="button" className="button-link" onClick={() => onChoose(first)}>
        Use {nameOfChoice(first)}
      </button>
    );
  return (
    <select
      className="choices"
      aria-label="Image in it"
      value={choices.includes(chosen) ? chosen : ''}
      onChange={({ target }) => onChoose(target.value)}
    >
      <option value="" disabled>
        {`Choose one of ${choices.length} images`}
      </option>
      {choices.map((choice) => (
        <option key={choice} value={choice}>
          {nameOfChoice(choice)}
        </option>
      ))}
    </select>
  );
}
