import type { ReactNode } from 'react';
import { fileName } from '../model/names.ts';
import { useForm } from '../stores/form.ts';
import { FieldNote } from './Field.tsx';
import { fieldId } from './focus.ts';
import { askFor } from './LocalImageButtons.tsx';
import { useImageNote } from './use-image.ts';

interface ImageFieldProps {
  readonly error: string | undefined;
  /** The path of a file that has to be picked first. */
  readonly missingFile: string | undefined;
}

/** Any image reference, checked as one types. */
export function ImageField({ error, missingFile }: ImageFieldProps) {
  const id = fieldId('image');
  const { form, change } = useForm();
  const note = useImageNote();
  return (
    <div className="field image-field">
      <label htmlFor={id}>Image</label>
      <input
        id={id}
        value={form.image}
        onChange={({ target }) => change({ image: target.value })}
        placeholder="alpine, ghcr.io/owner/name:tag, …"
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        autoComplete="off"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
      />
      <FieldNote
        id={`${id}-note`}
        error={error}
        hint={missingFile ? <FileRequest path={missingFile} /> : note}
      />
    </div>
  );
}

/** No page may open a file by its name: its owner has to. */
function FileRequest({ path }: { path: string }): ReactNode {
  return (
    <>
      It is on a computer, and only you can open it:{' '}
      <button type="button" className="button-link" onClick={() => askFor('file')}>
        pick {fileName(path)}
      </button>{' '}
      or drop it here
    </>
  );
}
